import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { INT, VMLINUX } from "../../../../test/support/btf-types.ts";
import { readObject } from "../../spec/index.ts";
import { Btf } from "../btf.ts";
import { BtfError } from "../btf-error.ts";
import { BtfBuilder } from "../builder.ts";
import type { BtfType } from "../type.ts";
import { dedup } from "./dedup.ts";

const pointer = (type: number): BtfType => ({ kind: "pointer", name: "", type });
const forward = (name: string): BtfType => ({ kind: "forward", name, union: false });
const struct = (name: string, ...members: readonly number[]): BtfType => ({
  kind: "struct",
  name,
  size: members.length * 8,
  members: members.map((type, i) => ({ name: `m${i}`, type, bitOffset: i * 64, bitSize: 0 })),
});
const build = (all: readonly BtfType[], base?: Btf) => {
  const options = base === undefined ? {} : { base };
  const builder = new BtfBuilder(options);
  for (const type of all) builder.add(type);
  return Btf.parse(builder.build(), options);
};
const types = (btf: Btf) => Array.from({ length: btf.endId - btf.firstId }, (_, i) => btf.type(btf.firstId + i));
const object = (name: string) => {
  const file = fileURLToPath(new URL(`../../../../test/fixtures/objects/${name}.o`, import.meta.url));
  const { btf } = readObject(new Uint8Array(readFileSync(file)));
  if (btf === undefined) throw new Error("no BTF");
  return btf;
};
const together = (...tables: readonly Btf[]) => {
  const builder = new BtfBuilder({ byteOrder: tables[0]?.byteOrder ?? "little" });
  for (const table of tables) builder.addAll(table);
  return Btf.parse(builder.build());
};

describe("equal types become one", () => {
  it("in circles", () => {
    // Twice: list -> pointer -> list.
    const { btf, ids } = dedup(build([struct("list", 2), pointer(1), struct("list", 4), pointer(3)]));
    expect(types(btf)).toEqual([struct("list", 2), pointer(1)]);
    expect([...ids]).toEqual([0, 1, 2, 1, 2]);
  });

  it("but those whose members differ at any depth stay", () => {
    const deep = (leaf: BtfType, at: number): BtfType[] => [
      struct("a", at + 1),
      pointer(at + 2),
      struct("b", at + 3),
      leaf,
    ];
    const table = [...deep(INT, 1), ...deep({ ...INT, signed: false }, 5)];
    const { btf } = dedup(build(table));
    expect(types(btf)).toEqual(table);
  });

  it("with a forward declaration for the definition that it is compared with", () => {
    // The first `user` knows `thing` by name only; two definitions of it follow.
    const { btf } = dedup(
      build([
        forward("thing"),
        pointer(1),
        struct("user", 2),
        struct("thing"),
        pointer(4),
        struct("user", 5),
        struct("thing", 5),
      ]),
    );
    expect(types(btf)).toEqual([pointer(3), struct("user", 1), struct("thing"), struct("thing", 1)]);
  });

  it("with a forward declaration for the only definition of its name, and no other", () => {
    const only = dedup(build([forward("thing"), pointer(1), struct("thing", 2)]));
    expect(types(only.btf)).toEqual([pointer(2), struct("thing", 1)]);
    expect([...only.ids]).toEqual([0, 2, 1, 2]);
    const two = [forward("thing"), pointer(1), struct("thing", 2), struct("thing", 2, 2)];
    expect(types(dedup(build(two)).btf)).toEqual(two);
    const otherKind: BtfType[] = [{ kind: "forward", name: "thing", union: true }, struct("thing")];
    expect(types(dedup(build(otherKind)).btf)).toEqual(otherKind);
  });

  it("tags, functions and prototypes too", () => {
    const half = (at: number): BtfType[] => [
      INT,
      { kind: "prototype", name: "", result: at, parameters: [{ name: "x", type: at }] },
      { kind: "function", name: "f", type: at + 1, linkage: "global" },
      { kind: "declTag", name: "kept", type: at + 2, component: 0 },
      { kind: "const", name: "", type: at },
      { kind: "array", name: "", element: at + 4, index: at, length: 3 },
    ];
    expect(types(dedup(build([...half(1), ...half(7)])).btf)).toEqual(half(1));
  });

  it("but static variables only with their sections", () => {
    const variable = (at: number, linkage: "static" | "global"): BtfType => ({
      kind: "variable",
      name: "v",
      type: at,
      linkage,
    });
    const section = (at: number, size = 4): BtfType => ({
      kind: "section",
      name: ".bss",
      size,
      variables: [{ type: at, offset: 0, size: 4 }],
    });
    expect(dedup(build([INT, variable(1, "static"), variable(1, "static")])).btf.endId).toBe(4);
    expect(dedup(build([INT, variable(1, "global"), variable(1, "global")])).btf.endId).toBe(3);
    const same = [INT, variable(1, "static"), section(2), variable(1, "static"), section(4)];
    expect(types(dedup(build(same)).btf)).toEqual(same.slice(0, 3));
    expect(dedup(build([...same.slice(0, 4), section(4, 8)])).btf.endId).toBe(6);
  });

  it("of objects: two copies give what one gives", () => {
    for (const name of ["core.el", "maps.el", "maps.eb", "refused.el"]) {
      const once = dedup(object(name)).btf;
      const twice = dedup(together(object(name), object(name))).btf;
      expect(types(twice)).toEqual(types(once));
      expect(types(dedup(once).btf)).toEqual(types(once));
      expect(twice.byteOrder).toBe(object(name).byteOrder);
    }
  });

  it("with those of a base, which keeps its own", () => {
    const base = build([INT, pointer(1), forward("thing")]);
    const split = build([INT, pointer(4), pointer(5), struct("thing")], base);
    const { btf, ids } = dedup(split);
    expect([...ids]).toEqual([0, 1, 2, 3, 1, 2, 4, 5]);
    expect(types(btf)).toEqual([pointer(2), struct("thing")]);
  });
});

describe("tables", () => {
  it("that name what there is not, or go in circles without a struct, are refused", () => {
    expect(() => dedup(build([pointer(2), pointer(1)]))).toThrow(/names itself/);
    const bytes = build([pointer(1), pointer(1)]).bytes.slice();
    new DataView(bytes.buffer).setUint32(24 + 8, 77, true);
    expect(() => dedup(Btf.parse(bytes))).toThrow(BtfError);
  });

  it("with chains of any length are gone through", () => {
    const chain = Array.from({ length: 100_000 }, (_, i) => pointer(i + 2));
    const { btf } = dedup(build([...chain, INT, INT]));
    expect(btf.endId).toBe(100_002);
  });

  it.skipIf(!existsSync(VMLINUX))(
    `of ${VMLINUX}, which was deduplicated, stay as they are, and two make one (skipped where a kernel has none)`,
    { timeout: 120_000 },
    () => {
      const kernel = Btf.parse(new Uint8Array(readFileSync(VMLINUX)));
      const once = dedup(kernel);
      // Tools that make kernels differ in what little they leave: a thousandth.
      expect(once.btf.endId).toBeGreaterThan(kernel.endId * 0.999);
      expect(Buffer.compare(dedup(together(kernel, kernel)).btf.bytes, once.btf.bytes)).toBe(0);
    },
  );
});
