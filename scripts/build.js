#!/usr/bin/env node
// Builds what is out of date: types and ES modules of the library (tsc → dist/), the library as users import it (esbuild →
// dist/esm/), the command as CommonJS bundles (esbuild → dist/cli/), and with --tests also the kernel tests (tsc → dist-test/).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { withHash, writeCodeChunks } from "./code-chunks.js";
import { mergeChunks } from "./merge-chunks.js";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

function tsc(project) {
  const result = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project], { stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function emptyFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

/** Every command is a chunk of its own, loaded when it is run: start-up pays for one command only. */
async function bundle() {
  const commands = readdirSync("src/app/cli/commands").filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"));
  emptyFolder("dist/cli");
  const shared = {
    outdir: "dist/cli",
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logOverride: { "empty-import-meta": "silent" },
    minifySyntax: true,
    minifyWhitespace: true,
    charset: "ascii",
    legalComments: "none",
    logLevel: "warning",
  };
  // The bundles are CommonJS, where import.meta is not: native.ts looks at __filename instead.
  const { packedPlans } = await import("../dist/tools/trace/packed-plans.js");
  const plans = Object.fromEntries(["x64", "arm64"].map((a) => [a, Buffer.from(packedPlans(a)).toString("base64")]));
  const define = {
    "import.meta.url": "undefined",
    SKEP_IMAGES: JSON.stringify(await traceImages()),
    SKEP_PLANS: JSON.stringify(plans),
    SKEP_VERSION: JSON.stringify(version),
    SKEP_BUILD: JSON.stringify(buildOf()),
  };
  const entryPoints = Object.fromEntries(commands.map((f) => [f.replace(/\.ts$/, ""), `src/app/cli/commands/${f}`]));
  // Modules that stand for others in a command's bundle: the trace programs and plans come as data that the build made, and
  // what it takes to read a trace is a chunk of its own.
  const IN_COMMANDS = {
    images: "images-packed",
    "packed-plans": "packed-plans-image",
    reading: "reading-chunk",
    compiling: "compiling-chunk",
  };
  /** Of `skep trace`, whose start counts, also the classes of maps that it has not, and what only errors need. */
  const IN_TRACE = {
    ...IN_COMMANDS,
    "live-map": "live-map-basic",
    disassemble: "disassemble-rare",
    btf: "btf-rare",
  };
  const instead = (modules) => ({
    name: "instead",
    setup({ onResolve }) {
      onResolve({ filter: /^\.\/[\w-]+\.ts$/ }, ({ path, resolveDir, importer }) => {
        const other = modules[path.slice(2, -3)];
        // What stands for a module may need the module itself.
        if (other === undefined || importer.endsWith(`/${other}.ts`)) return undefined;
        // Modules elsewhere may have one of these names, too.
        const standIn = join(resolveDir, `${other}.ts`);
        return existsSync(standIn) ? { path: standIn } : undefined;
      });
      // No command loads modules of kernel code by the library's load(), which is left out; were the compiler behind it looked
      // at, every module that it shares with a command would get a function around it.
      onResolve({ filter: /^\.\.?\// }, ({ path, kind, importer }) =>
        kind === "dynamic-import" &&
        /\/(compile-module|refusal|load)\.ts$/.test(importer) &&
        importer.includes("/kernel-typescript/")
          ? { path, external: true }
          : undefined,
      );
    },
  });
  // The parser's package is ES modules, which Node takes longer to load from a command than to do all the rest of a
  // one-liner: its native part is loaded by itself. Where it is another one, or lies elsewhere, the package finds it.
  const wrapper = resolve("node_modules/oxc-parser/src-js/wrap.js");
  const parser = {
    name: "parser",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^oxc-parser$/ }, ({ namespace }) =>
        namespace === "parser" ? { external: true } : { path: "oxc-parser", namespace: "parser" },
      );
      onLoad({ filter: /.*/, namespace: "parser" }, () => ({
        resolveDir: process.cwd(),
        contents: `import { wrap } from ${JSON.stringify(wrapper)};
          const native = () => {
            try {
              return require(\`@oxc-parser/binding-\${process.platform}-\${process.arch}-gnu\`);
            } catch {}
          };
          const binding = native();
          export const parseSync =
            binding === undefined
              ? require("oxc-parser").parseSync
              : (path, text, options) => wrap(binding.parseSync(path, text, options));`,
      }));
    },
  };
  const { trace, ...others } = entryPoints;
  await build({ ...shared, entryPoints: { trace }, define, plugins: [instead(IN_TRACE), parser] });
  await build({ ...shared, entryPoints: others, define, plugins: [instead(IN_COMMANDS), parser] });
  const parts = {
    "trace-reading": "src/tools/trace/reading.ts",
    "trace-rare": "src/tools/trace/rare.ts",
    "run-compiling": "src/tools/run/compiling.ts",
  };
  await build({ ...shared, entryPoints: parts, define, plugins: [parser] });
  // Commands and parts of them are read as they are by bin/skep.js: a function expression with the hash of its text before it.
  for (const name of Object.keys({ ...entryPoints, ...parts })) {
    const text = readFileSync(`dist/cli/${name}.cjs`, "latin1");
    const chunk = `(function (exports, require, module, __filename, __dirname) {${text}\n})`;
    writeFileSync(`dist/cli/${name}.cjs`, withHash(chunk), "latin1");
  }
  await build({ ...shared, entryPoints: { main: "src/app/cli/main.ts", "kept-code": "src/sdk/kept-code.ts" }, define });
}

/**
 * The ambient modules of kernel types, beside the declarations of `skep/kernel`: a file that declares a module for everybody can
 * be no TypeScript source here (each is a module itself), and tsc neither copies it nor names it by where the copy will be.
 */
function btfModules() {
  const folder = "language/kernel";
  copyFileSync(`src/${folder}/btf-modules.d.ts`, `dist/${folder}/btf-modules.d.ts`);
  const index = `dist/${folder}/index.d.ts`;
  const text = readFileSync(index, "utf8");
  const mended = text.replace(/(<reference path=")[^"]*(btf-modules\.d\.ts")/, "$1./$2");
  if (mended !== text) writeFileSync(index, mended);
}

/** Modules in few files, which share what they have in common. */
const ESM_BUNDLE = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  chunkNames: "shared-[hash]",
  sourcemap: true,
  legalComments: "none",
  logLevel: "warning",
  external: ["oxc-parser"],
};

/** What the public names share, in few files: each is what its entry needs and none before has. */
const SHARED = [
  ["types", ["btf"]],
  ["asm", ["asm"]],
  ["kernel", ["kernel"]],
  ["code", ["testing"]],
  ["events", ["column-worker"]],
  ["loader", ["skep"]],
];

/**
 * The library as users import it: one file for each public name and what they share (esbuild → dist/esm/). A hundred and
 * fifty modules would cost every program that imports Skep some 60 ms and 11 MB.
 */
async function library() {
  rmSync("dist/esm", { recursive: true, force: true });
  const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
  const entryPoints = Object.fromEntries(
    Object.values(exports)
      .filter((target) => typeof target === "object")
      .map(({ types, default: code }) => [
        code.replace(/^.*\/|\.js$/g, ""),
        types.replace(/^\.\/dist/, "src").replace(/\.d\.ts$/, ".ts"),
      ]),
  );
  // What `ColumnReader` starts as a thread: it looks for it beside itself.
  entryPoints["column-worker"] = "src/runtime/event/column-worker.ts";
  const options = { ...ESM_BUNDLE, minifySyntax: true, minifyWhitespace: true };
  const define = { SKEP_BUILD: JSON.stringify(buildOf()) };
  const { metafile } = await build({ ...options, entryPoints, outdir: "dist/esm", metafile: true, define });
  await mergeChunks("dist/esm", metafile, SHARED, options);
  emptyFolder("dist/code");
  await build({ ...options, entryPoints: ["src/sdk/code.ts"], outdir: "dist/code", sourcemap: false });
  writeCodeChunks("dist/esm", "dist/code");
}

/** A name for what is built: images of another compiler, or of another form, are none of this one's. */
function buildOf() {
  const hash = createHash("sha256").update(version);
  for (const file of readdirSync("src", { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort())
    hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

/**
 * The trace programs, compiled for each set of options: a file for each (dist/trace-images/). Gives those for the usual options on
 * this machine's architecture, which the command has in its bundle.
 */
async function traceImages() {
  const { compileImages } = await import("../dist/tools/trace/kernel/compile-images.js");
  const folder = "src/tools/trace/kernel";
  const sources = new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith(".bpf.ts"))
      .map((file) => [file, readFileSync(`${folder}/${file}`, "utf8")]),
  );
  emptyFolder("dist/trace-images");
  const usual = {};
  for (const arch of ["x64", "arm64"]) {
    for (const [name, image] of Object.entries(compileImages(arch, sources))) {
      writeFileSync(`dist/trace-images/${name}.json`, JSON.stringify(image));
      if (name === `${process.arch}-command-calls` || name === `${process.arch}-command-summary`) usual[name] = image;
    }
  }
  return usual;
}

/**
 * The C programs that kernel tests watch: compiled here, because virtual machines are slow. Lines such as `// flags: -m32` and
 * `// only: x64` at the top of one say how, and on which machines.
 */
function fixtures() {
  const out = "dist-test/fixtures";
  mkdirSync(out, { recursive: true });
  for (const source of readdirSync("test/fixtures").filter((file) => file.endsWith(".c"))) {
    const program = `${out}/${source.slice(0, -2)}`;
    const from = `test/fixtures/${source}`;
    if (existsSync(program) && statSync(program).mtimeMs > statSync(from).mtimeMs) continue;
    const text = readFileSync(from, "utf8");
    const only = /^\/\/ only: (\S+)$/m.exec(text)?.[1];
    if (only !== undefined && only !== process.arch) continue;
    const flags = /^\/\/ flags: (.+)$/m.exec(text)?.[1].split(" ") ?? ["-pthread"];
    const { status, error } = spawnSync(process.env.CC ?? "cc", ["-O1", "-w", ...flags, "-o", program, from], {
      stdio: "inherit",
    });
    if (status !== 0) {
      console.error(`${from} could not be compiled${error === undefined ? "" : `: ${error.message}`}.`);
      process.exit(1);
    }
  }
}

/**
 * The kernel tests, and the programs that they start (test/kernel/children), each in one file but for what they share: some
 * three hundred modules each take seconds to load where the processor is emulated. Their folders are as deep as those that
 * their modules come from: what these find beside themselves is found.
 */
async function testBundles() {
  const from = "dist-test/test/kernel";
  const named = (folder, end) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(`${end}.ts`))
      .map((file) => file.slice(0, -".ts".length));
  const bundles = {
    suite: named("test/kernel", ".test").map((name) => [name, `${from}/${name}.js`]),
    children: named("test/kernel/children", "").map((name) => [name, `${from}/children/${name}.js`]),
  };
  for (const [folder, entries] of Object.entries(bundles)) {
    const outdir = `dist-test/test/${folder}`;
    rmSync(outdir, { recursive: true, force: true });
    await build({
      // The worker is looked for beside what starts it.
      entryPoints: { ...Object.fromEntries(entries), "column-worker": "dist-test/src/runtime/event/column-worker.js" },
      outdir,
      ...ESM_BUNDLE,
      // One process loads the whole suite, and each child is a process of its own.
      splitting: folder === "suite",
    });
  }
}

/** The objects of examples, beside what is compiled of these: they name them relative to themselves. */
function exampleObjects() {
  for (const object of readdirSync("examples").filter((file) => file.endsWith(".bpf.o")))
    copyFileSync(`examples/${object}`, `dist-test/examples/${object}`);
}

if (!existsSync("node_modules/typescript")) {
  console.error("The build needs the development packages: run npm ci first.");
  process.exit(1);
}
tsc("tsconfig.build.json");
btfModules();
await library();
await bundle();
if (process.argv.includes("--tests")) {
  tsc("tsconfig.test.json");
  await testBundles();
  fixtures();
  exampleObjects();
}
