import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { INT, VMLINUX } from "../../../test/support/btf-types.ts";
import { readObject } from "../spec/index.ts";
import { Btf } from "./btf.ts";
import { BtfError } from "./btf-error.ts";
import { BtfBuilder } from "./builder.ts";
import type { BtfType } from "./type.ts";

/** Every kind, with the values at their edges. */
const ALL: readonly BtfType[] = [
  INT,
  { kind: "pointer", name: "", type: 4 },
  { kind: "array", name: "", element: 1, index: 1, length: 0xffffffff },
  {
    kind: "struct",
    name: "s",
    size: 8,
    members: [
      { name: "a", type: 1, bitOffset: 0xffffff, bitSize: 255 },
      { name: "", type: 5, bitOffset: 0, bitSize: 0 },
    ],
  },
  { kind: "union", name: "", size: 4, members: [{ name: "b", type: 1, bitOffset: 0xffffffff, bitSize: 0 }] },
  { kind: "enum", name: "e", size: 4, signed: true, values: [{ name: "LOW", value: -(2 ** 31) }] },
  { kind: "enum", name: "", size: 1, signed: false, values: [{ name: "HIGH", value: 2 ** 32 - 1 }] },
  { kind: "forward", name: "f", union: false },
  { kind: "forward", name: "f", union: true },
  { kind: "typedef", name: "größe", type: 1 },
  { kind: "volatile", name: "", type: 0 },
  { kind: "const", name: "", type: 1 },
  { kind: "restrict", name: "", type: 2 },
  { kind: "function", name: "main", type: 15, linkage: "extern" },
  {
    kind: "prototype",
    name: "",
    result: 0,
    parameters: [
      { name: "x", type: 1 },
      { name: "", type: 0 },
    ],
  },
  { kind: "variable", name: "v", type: 1, linkage: "static" },
  { kind: "section", name: ".data", size: 8, variables: [{ type: 16, offset: 4, size: 4 }] },
  { kind: "float", name: "double", size: 8 },
  { kind: "declTag", name: "tag", type: 4, component: -1 },
  { kind: "declTag", name: "kept(1)", type: 4, component: 1, attribute: true },
  { kind: "typeTag", name: "user", type: 1 },
  { kind: "typeTag", name: "address_space(1)", type: 1, attribute: true },
  { kind: "enum64", name: "wide", size: 8, signed: true, values: [{ name: "LOWEST", value: -(1n << 63n) }] },
  { kind: "enum64", name: "wider", size: 8, signed: false, values: [{ name: "HIGHEST", value: (1n << 64n) - 1n }] },
];

const types = (btf: Btf) => Array.from({ length: btf.endId - btf.firstId }, (_, i) => btf.type(btf.firstId + i));
const build = (...all: readonly BtfType[]) => {
  const builder = new BtfBuilder();
  for (const type of all) builder.add(type);
  return Btf.parse(builder.build());
};

describe("types that are built", () => {
  it("read back equal, in both byte orders", () => {
    for (const byteOrder of ["little", "big"] as const) {
      const builder = new BtfBuilder({ byteOrder });
      for (const [i, type] of ALL.entries()) expect(builder.add(type)).toBe(i + 1);
      const btf = Btf.parse(builder.build());
      expect(btf.byteOrder).toBe(byteOrder);
      expect(types(btf)).toEqual(ALL);
    }
  });

  it("may name ids to come, and hold themselves", () => {
    const builder = new BtfBuilder();
    const node = builder.reserve();
    expect(() => builder.build()).toThrow(/reserved, and never set/);
    const pointer = builder.add({ kind: "pointer", name: "", type: node });
    builder.set(node, {
      kind: "struct",
      name: "node",
      size: 8,
      members: [{ name: "next", type: pointer, bitOffset: 0, bitSize: 0 }],
    });
    const btf = Btf.parse(builder.build());
    expect(btf.sizeOf(btf.find("node") ?? 0)).toBe(8);
    expect(() => builder.set(3, INT)).toThrow(/no type 3/);
  });

  it("go on from a base, and use its names", () => {
    const base = build(INT);
    const builder = new BtfBuilder({ base });
    expect(builder.add({ kind: "typedef", name: "int", type: 1 })).toBe(2);
    builder.add({ kind: "typedef", name: "own", type: 2 });
    const btf = Btf.parse(builder.build(), { base });
    expect(types(btf)).toEqual([
      { kind: "typedef", name: "int", type: 1 },
      { kind: "typedef", name: "own", type: 2 },
    ]);
    expect(btf.find("own")).toBe(3);
    // NUL, "own", NUL: "int" is the base's.
    expect(btf.stringsEnd - btf.stringsStart).toBe(5);
    expect(() => new BtfBuilder({ base, byteOrder: "big" })).toThrow(BtfError);
  });

  it("are copied from other tables, a split one with its base", () => {
    const base = build(INT);
    const own = new BtfBuilder({ base });
    own.add({ kind: "typedef", name: "t", type: 1 });
    const split = Btf.parse(own.build(), { base });
    const builder = new BtfBuilder();
    builder.add({ kind: "float", name: "float", size: 4 });
    const map = builder.addAll(split);
    expect([map(0), map(1), map(2)]).toEqual([0, 2, 3]);
    expect(() => map(3)).toThrow(BtfError);
    expect(types(Btf.parse(builder.build()))[2]).toEqual({ kind: "typedef", name: "t", type: 2 });
  });

  it("of an object are copied to the byte", () => {
    for (const name of ["core.el", "maps.eb", "refused.el"]) {
      const file = fileURLToPath(new URL(`../../../test/fixtures/objects/${name}.o`, import.meta.url));
      const { btf } = readObject(new Uint8Array(readFileSync(file)));
      if (btf === undefined) throw new Error("no BTF");
      const builder = new BtfBuilder({ byteOrder: btf.byteOrder });
      builder.addAll(btf);
      expect(types(Btf.parse(builder.build()))).toEqual(types(btf));
    }
  });

  it.skipIf(!existsSync(VMLINUX))(
    `of ${VMLINUX} are copied (skipped where a kernel has none)`,
    { timeout: 60_000 },
    () => {
      const btf = Btf.parse(new Uint8Array(readFileSync(VMLINUX)));
      const builder = new BtfBuilder();
      builder.addAll(btf);
      const copy = Btf.parse(builder.build());
      expect(copy.endId).toBe(btf.endId);
      for (let id = 1; id < btf.endId; id += 97) expect(copy.type(id)).toEqual(btf.type(id));
    },
  );
});

describe("types that BTF cannot hold", () => {
  const refused: readonly (readonly [string, BtfType, RegExp])[] = [
    ["void", { kind: "void", name: "" }, /id 0/],
    ["long names", { ...INT, name: "ü".repeat(256) }, /512 bytes/],
    ["names with a NUL", { ...INT, name: "a\0b" }, /NUL/],
    ["typedefs without a name", { kind: "typedef", name: "", type: 0 }, /must have a name/],
    ["odd integers", { ...INT, size: 3 }, /3 bytes/],
    ["bits beyond the bytes", { ...INT, bitOffset: 1 }, /from bit 1/],
    ["long arrays", { kind: "array", name: "", element: 0, index: 0, length: 2 ** 32 }, /length 4294967296/],
    [
      "far bit-fields",
      { kind: "struct", name: "s", size: 1, members: [{ name: "m", type: 0, bitOffset: 2 ** 24, bitSize: 1 }] },
      /24 bits/,
    ],
    [
      "many members",
      {
        kind: "struct",
        name: "s",
        size: 1,
        members: Array.from({ length: 65_536 }, () => ({ name: "", type: 0, bitOffset: 0, bitSize: 0 })),
      },
      /65536 parts/,
    ],
    [
      "wide values",
      { kind: "enum", name: "e", size: 4, signed: false, values: [{ name: "X", value: -1 }] },
      /value X of -1/,
    ],
  ];
  for (const [what, type, message] of refused) {
    it(`are refused: ${what}`, () => {
      const builder = new BtfBuilder();
      expect(() => builder.add(type)).toThrow(message);
      expect(builder.nextId).toBe(1);
    });
  }

  it("are refused: ids that there are not, and of the wrong kind", () => {
    const one = (type: BtfType) => () => build(INT, type);
    expect(one({ kind: "pointer", name: "", type: 3 })).toThrow(/names type 3, and the ids are 0 to 2/);
    expect(one({ kind: "function", name: "f", type: 1, linkage: "static" })).toThrow(/which is a int/);
    expect(one({ kind: "section", name: ".x", size: 4, variables: [{ type: 1, offset: 0, size: 4 }] })).toThrow(
      BtfError,
    );
  });
});
