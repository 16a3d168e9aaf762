import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseElf } from "../../elf/index.ts";
import { Btf } from "../btf.ts";
import { BtfBuilder } from "../builder.ts";
import { describeType } from "./describe.ts";
import { printType } from "./print-type.ts";

const bpftool = spawnSync("bpftool", ["version"]).status === 0;
const path = (name: string) => fileURLToPath(new URL(`../../../../test/fixtures/objects/${name}.o`, import.meta.url));
const objects = ["core.el", "maps.el", "refused.el", "core.eb"];

describe("a type in words", () => {
  it("is C in one line", () => {
    const builder = new BtfBuilder();
    builder.add({ kind: "int", name: "int", size: 4, bits: 32, bitOffset: 0, signed: true, char: false, bool: false });
    builder.add({ kind: "pointer", name: "", type: 0 });
    const u64 = { name: "", type: builder.add({ kind: "typedef", name: "u64", type: 1 }) };
    builder.add({ kind: "prototype", name: "", result: 1, parameters: [{ name: "", type: 2 }, u64] });
    builder.add({ kind: "pointer", name: "", type: 4 });
    builder.add({ kind: "array", name: "", element: 5, index: 1, length: 3 });
    builder.add({ kind: "const", name: "", type: 1 });
    builder.add({ kind: "pointer", name: "", type: 7 });
    builder.add({ kind: "const", name: "", type: 8 });
    builder.add({ kind: "array", name: "", element: 7, index: 1, length: 16 });
    builder.add({ kind: "struct", name: "", size: 0, members: [] });
    builder.add({ kind: "pointer", name: "", type: 13 });
    builder.add({ kind: "const", name: "", type: 12 });
    const btf = Btf.parse(builder.build());
    expect([0, 2, 5, 6, 9, 10, 11].map((id) => printType(btf, id))).toEqual([
      "void",
      "void *",
      "int (*)(void *, u64)",
      "int (*[3])(void *, u64)",
      "const int *const",
      "const int[16]",
      "struct {...}",
    ]);
    expect(() => printType(btf, 12)).toThrow(/circle/);
    expect(describeType(btf, 6)).toEqual(["[6] ARRAY '(anon)' type_id=5 index_type_id=1 nr_elems=3"]);
  });

  it.skipIf(!bpftool)("is bpftool's raw listing (skipped without bpftool)", () => {
    for (const name of objects) {
      // As it is in the file: an object that was read has its sections filled in.
      const { sections } = parseElf(new Uint8Array(readFileSync(path(name))));
      const btf = Btf.parse(sections.find((section) => section.name === ".BTF")?.data ?? new Uint8Array(0));
      const lines = Array.from({ length: btf.endId - 1 }, (_, i) => describeType(btf, i + 1)).flat();
      const { stdout } = spawnSync("bpftool", ["btf", "dump", "file", path(name), "format", "raw"], {
        encoding: "utf8",
      });
      expect(lines).toEqual(stdout.trimEnd().split("\n"));
    }
  });
});
