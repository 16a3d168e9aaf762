// What is published: every export is there, with types, and the tarball installs and runs in a folder that has nothing
// else. Needs a built dist/ (npm test builds it) and no network.
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, VITEST: ___, ...env } = process.env;

describe("package.json", () => {
  const exported = Object.entries(manifest.exports as Record<string, string | Record<string, string>>);

  it.each(exported.filter(([, target]) => typeof target === "object"))(
    "exports %s with types and code",
    (_name, target) => {
      for (const path of Object.values(target)) expect(existsSync(join(root, path)), path).toBe(true);
      // Types before code, or TypeScript does not find them.
      expect(Object.keys(target)).toEqual(["types", "module", "node", "default"]);
    },
  );

  it("exports the rooms that docs/architecture.md calls public, and no other", () => {
    expect(exported.map(([name]) => name).sort()).toEqual(
      [
        ".",
        "./asm",
        "./btf",
        "./doctor",
        "./inspect",
        "./kernel",
        "./package.json",
        "./register",
        "./testing",
        "./trace",
      ].sort(),
    );
    for (const [name, file, source] of [
      [".", "skep", "sdk/index"],
      ["./asm", "asm", "object/asm/index"],
      ["./btf", "btf", "sdk/btf"],
      ["./doctor", "doctor", "tools/doctor/index"],
      ["./inspect", "inspect", "tools/inspect/index"],
      ["./kernel", "kernel", "language/kernel/index"],
      ["./testing", "testing", "language/interp/index"],
      ["./register", "register", "sdk/register"],
      ["./trace", "trace", "tools/trace/index"],
    ] as const) {
      expect(manifest.exports[name]).toEqual({
        types: `./dist/${source}.d.ts`,
        module: `./dist/esm/${file}.js`,
        node: `./dist/code/${file}.js`,
        default: `./dist/esm/${file}.js`,
      });
      expect(existsSync(join(root, "src", `${source}.ts`))).toBe(true);
    }
  });

  it("has a command that can be executed", () => {
    expect(statSync(join(root, manifest.bin.skep)).mode & 0o111).toBe(0o111);
  });

  it("pins every dependency exactly", () => {
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });
});

describe("the tarball", () => {
  const folder = mkdtempSync(join(tmpdir(), "skep-package-"));
  let files: string[] = [];

  const run = (...args: string[]) => spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });

  beforeAll(() => {
    const npm = (...args: string[]) => execFileSync("npm", args, { cwd: folder, env, encoding: "utf8" });
    // Without scripts: what they build is built.
    const [packed] = JSON.parse(npm("pack", root, "--json", "--ignore-scripts"));
    files = packed.files.map(({ path }: { path: string }) => path);
    writeFileSync(join(folder, "package.json"), '{ "name": "user", "private": true, "type": "module" }\n');
    // What `npm ci` left in its cache need not hold what there is to know of a package, only the package.
    npm("install", `./${packed.filename}`, "--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts");
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("holds the library, the command, the native part and its source, and nothing that only we need", () => {
    for (const path of [
      "bin/skep.js",
      "dist/code/skep.js",
      "dist/esm/skep.js",
      "dist/sdk/index.d.ts",
      "dist/cli/main.cjs",
      "native/skep.c",
      `prebuilds/linux-${process.arch}/skep.node`,
      "LICENSE",
      "README.md",
      "CHANGELOG.md",
    ])
      expect(files).toContain(path);
    expect(
      files.filter((path) => /^(src|test|bench|examples|scripts|\.)|tsbuildinfo|dist\/\w+\/cache|\.test\./.test(path)),
    ).toEqual([]);
  });

  it("installs no other package but the parser", () => {
    // What the parser brings: its native part and its types.
    const parser = ["@oxc-parser", "@oxc-project"];
    const installed = readdirSync(join(folder, "node_modules")).filter(
      (name) => !name.startsWith(".") && !parser.includes(name),
    );
    expect(installed.sort()).toEqual(["skep", ...Object.keys(manifest.dependencies ?? {})].sort());
  });

  it("loads by each of its names, and what two of them have is the same", () => {
    const names = Object.keys(manifest.exports as object)
      .filter((name) => name !== "./package.json")
      .map((name) => `skep${name.slice(1)}`);
    const code = `
      const names = ${JSON.stringify(names)};
      const loaded = {};
      for (const name of names) loaded[name] = await import(name);
      // The words of kernel TypeScript are called as the layouts of values are, and are others; and Node's hooks are called load.
      const others = [loaded["skep/kernel"], loaded["skep/register"]];
      const twice = [];
      const first = new Map();
      for (const [of, module] of Object.entries(loaded))
        for (const [name, it] of Object.entries(module)) {
          if (others.includes(module) || typeof it !== "function") continue;
          const known = first.get(name);
          if (known === undefined) first.set(name, it);
          else if (known !== it) twice.push(of + " " + name);
        }
      console.log(JSON.stringify({ counts: names.map((name) => Object.keys(loaded[name]).length), twice }));`;
    writeFileSync(join(folder, "all.js"), code);
    const { stdout, stderr } = run("--no-warnings", "all.js");
    expect(stdout, stderr).not.toBe("");
    const { counts, twice } = JSON.parse(stdout);
    expect(twice).toEqual([]);
    expect(counts).toHaveLength(names.length);
    for (const [i, count] of counts.entries())
      if (names[i] !== "skep/register") expect(count, names[i]).toBeGreaterThan(4);
  });

  it("has no module in two files", () => {
    const library = join(root, "dist/esm");
    const files = readdirSync(library).filter((file) => file.endsWith(".js"));
    const where = new Map<string, string[]>();
    for (const file of files) {
      const { sources } = JSON.parse(readFileSync(join(library, `${file}.map`), "utf8")) as { sources: string[] };
      for (const source of new Set(sources))
        if (source.includes("/src/")) where.set(source, [...(where.get(source) ?? []), file]);
    }
    expect(where.size).toBeGreaterThan(300);
    expect([...where].filter(([, of]) => of.length > 1)).toEqual([]);
  });

  it("can be imported by each of its names", () => {
    const code = `
      import { Assembler, loadObject, RingBufferReader } from "skep";
      import { disassemble, encode } from "skep/asm";
      import { Btf } from "skep/btf";
      import { parseSyscallFilter, Tracing } from "skep/trace";
      import manifest from "skep/package.json" with { type: "json" };
      const code = new Assembler().exit().instructions();
      console.log(disassemble(code), encode(code).length, typeof loadObject, typeof RingBufferReader, typeof Btf.parse, typeof Tracing,
        parseSyscallFilter("openat", "x64").has(257), manifest.version);`;
    writeFileSync(join(folder, "use.js"), code);
    const { stdout, stderr } = run("--no-warnings", "use.js");
    expect(stdout.trim(), stderr).toBe(`exit 8 function function function function true ${manifest.version}`);
  });

  it("starts with what V8 compiled of it before, which processes add to, and without where it cannot be kept", () => {
    const cache = join(folder, "node_modules/skep/dist/code/cache");
    const kept = () => readdirSync(cache).filter((file) => file.startsWith("shared-types-"));
    const size = () => statSync(join(cache, kept()[0] as string)).size;
    const works = (more = {}) => {
      const { stdout, stderr, status } = spawnSync(process.execPath, ["btf.js"], {
        cwd: folder,
        env: { ...env, ...more },
        encoding: "utf8",
      });
      expect({ stdout, stderr, status }).toEqual({ stdout: "4\n", stderr: "", status: 0 });
    };
    writeFileSync(join(folder, "nothing.js"), 'import "skep/btf";');
    writeFileSync(
      join(folder, "btf.js"),
      `import { Btf, BtfBuilder, dedup, describeType, layoutOf, printC } from "skep/btf";
       const builder = new BtfBuilder();
       builder.add({ kind: "float", name: "f", size: 4 });
       const btf = Btf.parse(builder.build());
       layoutOf(btf, 1);
       describeType(btf, 1);
       printC(btf);
       dedup(btf);
       console.log(btf.type(1).size);`,
    );
    rmSync(cache, { recursive: true, force: true });
    works({ NODE_DISABLE_COMPILE_CACHE: "1" });
    expect(existsSync(cache)).toBe(false);
    expect(run("nothing.js").status).toBe(0);
    expect(kept()).toHaveLength(1);
    const little = size();
    // The next process finds what is kept, and adds what it uses besides.
    works();
    expect(size()).toBeGreaterThan(little);
    const path = () => join(cache, kept()[0] as string);
    const whole = readFileSync(path());
    // V8 would run into a page that a loss of power left empty.
    const page = Buffer.concat([whole.subarray(0, 8192), Buffer.alloc(4096), whole.subarray(8192 + 4096)]);
    for (const damaged of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(4096, 7), whole.subarray(0, 20_000), page]) {
      writeFileSync(path(), damaged);
      works();
    }
    // Code that others could put there is not run, and none is left there.
    rmSync(cache, { recursive: true, force: true });
    mkdirSync(cache);
    chmodSync(cache, 0o777);
    works();
    expect(kept()).toEqual([]);
    rmSync(cache, { recursive: true, force: true });
    writeFileSync(cache, "");
    works();
    rmSync(cache);
    // With flags of V8's it is other code.
    works({ NODE_OPTIONS: "--max-old-space-size=500" });
    works();
    expect(kept()).toHaveLength(2);
    expect(readdirSync(cache).filter((file) => file.endsWith(".part"))).toEqual([]);
  });

  it("starts its threads", () => {
    const code = (form: string) => `
      import { Worker } from "node:worker_threads";
      const worker = new Worker(new URL("node_modules/skep/dist/${form}/column-worker.js", import.meta.url), { workerData: {} });
      worker.on("error", (error) => console.log(String(error)));`;
    const said = ["esm", "code"].map((form) => {
      writeFileSync(join(folder, "thread.js"), code(form));
      return run("thread.js").stdout;
    });
    // Nothing was said to it: it runs until it misses that.
    expect(said[0]).toMatch(/^TypeError/);
    expect(said[1]).toBe(said[0]);
  });

  it.each([undefined, ["custom"]])("goes into a bundle of its user's, with conditions %s", async (conditions) => {
    writeFileSync(
      join(folder, "bundled.js"),
      'import { disassemble, Assembler } from "skep/asm"; console.log(disassemble(new Assembler().exit().instructions()));',
    );
    const outfile = join(folder, "bundle", "out.mjs");
    await build({
      ...{ entryPoints: [join(folder, "bundled.js")], bundle: true, format: "esm", outfile, logLevel: "silent" },
      ...(conditions === undefined ? { platform: "node" } : { platform: "neutral", external: ["node:*"], conditions }),
    });
    expect(run("bundle/out.mjs").stdout).toBe("exit\n");
  });

  it("has a command that runs", () => {
    const skep = join(folder, "node_modules/.bin/skep");
    expect(execFileSync(skep, ["--version"], { env, encoding: "utf8" }).trim()).toBe(manifest.version);
    const doctor = spawnSync(skep, ["doctor", "--json"], { env, encoding: "utf8" });
    expect(JSON.parse(doctor.stdout).schema).toMatch(/^skep\.doctor\//);
  });

  it("has types that a strict program compiles against", () => {
    writeFileSync(
      join(folder, "use.ts"),
      `import { Assembler, loadObject, type ObjectSpec, RingBufferReader, struct, u32, u64, u64n } from "skep";
       import { Tracing } from "skep/trace";
       const spec = {
         maps: { events: { type: "ringbuf", maxEntries: 4096 }, counts: { type: "hash", key: u32, value: u64, maxEntries: 8 } },
         programs: { p: { type: "raw_tracepoint", instructions: new Assembler().exit().instructions(), license: "MIT" } },
       } as const satisfies ObjectSpec;
       export function use(): void {
         using object = loadObject(spec);
         const count: bigint | undefined = object.maps.counts.get(1);
         using reader = RingBufferReader.of(object.maps.events, struct({ time: u64n, pid: u32 }));
         reader.consume(({ time, pid }) => console.log(time + pid, count));
         // @ts-expect-error the object has no such map
         object.maps.others;
         // @ts-expect-error a u64 is a bigint
         object.maps.counts.set(1, 2);
         Tracing.start({ target: { kind: "pids", pids: [1] } }).close();
       }\n`,
    );
    // What skep gen writes of an object of C's, and what it lets a program do and not do.
    const skep = join(folder, "node_modules/.bin/skep");
    const object = join(root, "test/fixtures/objects/maps.el.o");
    execFileSync(skep, ["gen", object, "-n", "Maps", "-o", join(folder, "maps.d.ts")], { env });
    writeFileSync(
      join(folder, "generated.ts"),
      `import { loadObject } from "skep";
       import type { Maps } from "./maps.d.ts";
       export function use(): void {
         using object = loadObject<Maps>("maps.el.o", { programs: ["entry"], variables: { visited: 1n } });
         object.maps.typed.set({ a: 1, b: 2n }, { count: 1n, name: "x", colour: 2, bits: { low: 1, high: 2 } });
         const times: bigint = object.variables.jumped.get();
         const inner: bigint | undefined = object.maps.outer.get(1)?.get(0);
         object.maps.jumps.set(0, object.programs.target);
         for (const [index, value] of object.maps.kept) console.log(index + 1, value + times, inner);
         // @ts-expect-error a u32 is a number
         object.maps.typed.get({ a: 1n, b: 2n });
         // @ts-expect-error the object has no such variable
         loadObject<Maps>("maps.el.o", { variables: { other: 1 } });
         // @ts-expect-error the object has no such program
         loadObject<Maps>("maps.el.o", { programs: ["other"] });
       }\n`,
    );
    mkdirSync(join(folder, "node_modules/@types"), { recursive: true });
    symlinkSync(join(root, "node_modules/@types/node"), join(folder, "node_modules/@types/node"));
    symlinkSync(join(root, "node_modules/undici-types"), join(folder, "node_modules/undici-types"));
    const options = [
      "--strict",
      "--noEmit",
      "--module",
      "nodenext",
      "--target",
      "es2023",
      "--lib",
      "es2023,esnext.disposable",
      "--types",
      "node",
    ];
    const { stdout, status } = run(join(root, "node_modules/typescript/bin/tsc"), ...options, "use.ts", "generated.ts");
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});
