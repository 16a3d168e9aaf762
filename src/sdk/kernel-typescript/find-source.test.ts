import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { afterAll, describe, expect, it } from "vitest";
import { counter, hash, str, u32 } from "../../language/kernel/index.ts";
import { callSite, findSource } from "./find-source.ts";
import { gatherSources, sourceOf } from "./gather-sources.ts";
import { SourceError } from "./source-error.ts";

const positive = (name: string) =>
  fileURLToPath(new URL(`../../../test/kernel-typescript/positive/${name}`, import.meta.url));
// Not by name: what they name of the kernel is declared for their own folder.
const hello: object = await import(positive("hello.bpf.ts"));
const opensnoop: { readonly targetPid?: unknown } = await import(positive("opensnoop.bpf.ts"));
const folder = realpathSync(mkdtempSync(join(tmpdir(), "skep-source-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("findSource", () => {
  it("finds the file where descriptors were made, whatever they are", () => {
    expect(findSource(hello).entry).toBe(positive("hello.bpf.ts"));
    // A parameter is one, too.
    expect(findSource({ targetPid: opensnoop.targetPid }).entry).toBe(positive("opensnoop.bpf.ts"));
    expect(findSource({ here: hash(u32, u32) }).entry).toBe(fileURLToPath(import.meta.url));
  });

  it("leaves what is no descriptor out of account", () => {
    expect(findSource({ ...hello, a: 1, b: "x", c: null, d: () => 1, e: u32, f: {} }).entry).toBe(
      positive("hello.bpf.ts"),
    );
    expect(() => findSource({ a: 1, u32 })).toThrow(/exports nothing of "skep\/kernel" \(a, u32\)/);
    expect(() => findSource({})).toThrow(SourceError);
  });

  it("refuses what is of several files", () => {
    expect(() => findSource({ ...hello, mine: counter(str(16)) })).toThrow(
      /several files: opens in .*hello\.bpf\.ts, mine in .*find-source\.test\.ts/,
    );
  });

  it("finds the original of built JavaScript in its source map", async () => {
    for (const sourcemap of ["inline", "linked"] as const) {
      const outfile = join(folder, `${sourcemap}.mjs`);
      await build({
        entryPoints: [positive("opensnoop.bpf.ts")],
        outfile,
        bundle: true,
        format: "esm",
        sourcemap,
        minify: true,
        logLevel: "error",
        external: ["skep/kernel"],
        alias: { "skep/kernel": "skep/kernel" },
      });
      // A made-up stack, because the file itself needs the built package.
      const lines = (await import("node:fs")).readFileSync(outfile, "utf8").split("\n");
      const line = lines.findIndex((text) => text.includes("sys_enter_openat"));
      const column = lines[line]?.indexOf("sys_enter_openat") ?? 0;
      const error = new Error("made here");
      error.stack = `Error: made here\n    at new Descriptor (/skep/kernel.js:1:1)\n    at ${pathToFileURL(outfile).href}:${line + 1}:${column + 1}`;
      const found = findSource({ x: Object.defineProperty({}, Symbol.for("skep.kernel.origin"), { value: error }) });
      expect(found.entry).toBe(positive("opensnoop.bpf.ts"));
      expect(found.texts.get(found.entry)).toContain("export const opened = ringbuf(");
      expect(gatherSources(found).files.get(found.entry)).toContain("export const opened = ringbuf(");
    }
  });

  it("says how to name the source where JavaScript tells nothing of it", () => {
    const plain = join(folder, "plain.js");
    const broken = join(folder, "broken.js");
    writeFileSync(plain, "1;\n");
    writeFileSync(broken, "1;\n//# sourceMappingURL=data:application/json;base64,e30\n");
    for (const file of [plain, broken, "/no/such.js"]) {
      const error = new Error("made here");
      error.stack = `Error: made here\n    at x (/skep/kernel.js:1:1)\n    at ${file}:1:1`;
      const module = { x: Object.defineProperty({}, Symbol.for("skep.kernel.origin"), { value: error }) };
      expect(() => findSource(module)).toThrow(/JavaScript without a source map.*source: new URL/);
    }
  });

  it("reads the places of a stack as engines write them", () => {
    const at = (...lines: string[]) => {
      const error = new Error("x");
      error.stack = `Error: x\n${lines.map((line) => `    at ${line}`).join("\n")}`;
      return callSite(error);
    };
    const own = "new Descriptor (file:///skep/dist/esm/kernel.js:3:9)";
    const user = { file: "/a b/x.bpf.ts", line: 3, column: 20 };
    expect(at(own, "hash (file:///skep/dist/esm/kernel.js:9:1)", "file:///a%20b/x.bpf.ts?t=5:3:20")).toEqual(user);
    expect(at(own, "/a b/x.bpf.ts:3:20")).toEqual(user);
    expect(at(own, "async Module.evaluate (/a b/x.bpf.ts:3:20)")).toEqual(user);
    expect(at(own, "ModuleJob.run (node:internal/modules/esm/module_job:234:25)")).toBeUndefined();
    expect(at()).toBeUndefined();
  });
});

describe("gatherSources", () => {
  it("takes a module and what it imports, and these", () => {
    const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
    write("a.bpf.ts", 'import { x } from "./b.bpf.ts";\nimport { u32 } from "skep/kernel";\n');
    write("b.bpf.ts", 'import * as c from "./c.bpf.ts"; import "./a.bpf.ts";\n// from "./none.bpf.ts"\n');
    write("c.bpf.ts", "export const c = 1;\n");
    const { entry, files } = gatherSources(sourceOf(pathToFileURL(join(folder, "a.bpf.ts"))));
    expect(entry).toBe(join(folder, "a.bpf.ts"));
    expect([...files.keys()].sort()).toEqual(["a", "b", "c"].map((name) => join(folder, `${name}.bpf.ts`)));
    expect(files.get(join(folder, "c.bpf.ts"))).toBe("export const c = 1;\n");
  });

  it("takes a text that is given", () => {
    const { entry, files } = gatherSources(sourceOf({ name: "given.bpf.ts", text: "export {};" }));
    expect([...files]).toEqual([[entry, "export {};"]]);
  });

  it("says which file cannot be read", () => {
    expect(() => gatherSources(sourceOf("/no/such.bpf.ts"))).toThrow(/ENOENT.*\/no\/such\.bpf\.ts.*option source/);
    expect(() => sourceOf(new URL("data:text/plain,x"))).toThrow(SourceError);
  });
});
