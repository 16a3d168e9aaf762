import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Assembler, r0 } from "../../object/asm/index.ts";
import { Btf, BtfBuilder } from "../../object/btf/index.ts";
import { struct, u32, u64n } from "../../object/codec/index.ts";
import type { Compiled } from "./compiled.ts";
import { ImageCache } from "./image-cache.ts";

let home: string;
const before = process.env["XDG_CACHE_HOME"];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "skep-cache-"));
  process.env["XDG_CACHE_HOME"] = home;
});
afterEach(() => {
  rmSync(home, { recursive: true, force: true });
  if (before === undefined) delete process.env["XDG_CACHE_HOME"];
  else process.env["XDG_CACHE_HOME"] = before;
});

const types = new BtfBuilder();
types.add({ kind: "int", name: "int", size: 4, signed: true, char: false, bool: false, bits: 32, bitOffset: 0 });
const compiled: Compiled = {
  spec: {
    maps: {
      events: { type: "hash", key: u32, value: struct({ at: u64n }), maxEntries: 4 },
      ".rodata": { type: "array", keySize: 4, valueSize: 2, maxEntries: 1, contents: Uint8Array.of(1, 2) },
    },
    programs: {
      p: { type: "syscall", instructions: new Assembler().mov(r0, -5).exit().instructions(), license: "GPL" },
    },
    btf: Btf.parse(types.build()),
  },
  manner: "fast",
  prints: [{ texts: ["a", "b"], record: struct({ site: u32 }) }],
};
const sources = (text: string, entry = "/a.bpf.ts") => ({ entry, files: new Map([["/a.bpf.ts", text]]) });
const files = () => readdirSync(join(home, "skep"));

describe("ImageCache", () => {
  it("keeps what was compiled, for the same sources and the same build", () => {
    const cache = ImageCache.open("build") as ImageCache;
    expect(cache.read(sources("x"))).toBeUndefined();
    cache.write(sources("x"), compiled);
    expect(cache.read(sources("y"))).toBeUndefined();
    expect(cache.read({ ...sources("x"), files: new Map([["/b.bpf.ts", "x"]]) })).toBeUndefined();
    expect(ImageCache.open("other")?.read(sources("x"))).toBeUndefined();
    const { spec, prints } = (ImageCache.open("build") as ImageCache).read(sources("x")) as Compiled;
    expect(prints).toEqual(compiled.prints);
    expect({ ...spec, btf: undefined }).toEqual({ ...compiled.spec, btf: undefined });
    expect(spec.btf?.bytes).toEqual(compiled.spec.btf?.bytes);
    expect(spec.btf?.find("int")).toBe(1);
  });

  it("does not know what a broken file holds", () => {
    const cache = ImageCache.open("build") as ImageCache;
    cache.write(sources("x"), compiled);
    const [name = ""] = files();
    const path = join(home, "skep", name);
    const bytes = readFileSync(path);
    for (const broken of [
      bytes.subarray(0, 40),
      Buffer.alloc(0),
      Buffer.concat([bytes.subarray(0, 100), bytes.subarray(101)]),
    ]) {
      writeFileSync(path, broken);
      expect(cache.read(sources("x"))).toBeUndefined();
    }
    for (let at = 0; at < bytes.length; at += 37) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      writeFileSync(path, changed);
      expect(cache.read(sources("x"))).toBeUndefined();
    }
  });

  it("is not used where others may write, where it cannot be made, and from sources", () => {
    ImageCache.open("build");
    chmodSync(join(home, "skep"), 0o777);
    expect(ImageCache.open("build")).toBeUndefined();
    writeFileSync(join(home, "file"), "");
    process.env["XDG_CACHE_HOME"] = join(home, "file");
    expect(ImageCache.open("build")).toBeUndefined();
    expect(ImageCache.open()).toBeUndefined();
  });

  it("keeps the newest ones", () => {
    const cache = ImageCache.open("build") as ImageCache;
    for (let i = 0; i < 200; i++) {
      const path = join(home, "skep", `${String(i).padStart(40, "0")}.image`);
      writeFileSync(path, "");
      utimesSync(path, 1000 + i, 1000 + i);
    }
    cache.write(sources("x"), compiled);
    expect(files()).toHaveLength(200);
    expect(files()).not.toContain(`${"0".repeat(40)}.image`);
    expect(cache.read(sources("x"))).toBeDefined();
  });
});
