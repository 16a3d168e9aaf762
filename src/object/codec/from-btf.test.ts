import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Btf, BtfBuilder } from "../btf/index.ts";
import { readObject } from "../spec/index.ts";
import { CodecError } from "./codec-error.ts";
import { layoutOf } from "./from-btf.ts";
import { decodeValue, encodeValue } from "./values.ts";

const file = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
const { btf } = readObject(new Uint8Array(readFileSync(file)));

describe("layouts from BTF", () => {
  const layout = (name: string) => {
    const id = btf?.find(name, "struct");
    if (btf === undefined || id === undefined) throw new Error(`no struct ${name}`);
    return layoutOf(btf, id);
  };

  it("have fields where the compiler put them", () => {
    expect(layout("key")).toMatchObject({
      kind: "struct",
      size: 16,
      align: 8,
      fields: [
        { name: "a", offset: 0, layout: { kind: "u32" } },
        { name: "b", offset: 8, layout: { kind: "u64" } },
      ],
    });
  });

  it("read what typedefs with a tag say: the network's byte order, numbers instead of bigints", () => {
    const builder = new BtfBuilder();
    const int = (size: number) =>
      builder.add({
        kind: "int",
        name: `u${size}`,
        size,
        bits: size * 8,
        bitOffset: 0,
        signed: false,
        char: false,
        bool: false,
      });
    const sizes = { be16: 2, be32: 4, be64: 8, u64n: 8, i64n: 8 } as const;
    for (const [name, size] of Object.entries(sizes)) {
      const type = builder.add({ kind: "typedef", name, type: int(size) });
      builder.add({ kind: "declTag", name: `skep:${name}`, type, component: -1 });
    }
    // The same names without the tag, and with one on something else, are what they were.
    const plain = builder.add({ kind: "typedef", name: "be32", type: int(4) });
    const btf = Btf.parse(builder.build());
    for (const name of Object.keys(sizes)) {
      const id = btf.find(name, "typedef");
      expect(layoutOf(btf, id as number).kind).toBe(name);
    }
    expect(layoutOf(btf, plain).kind).toBe("u32");
    expect(decodeValue(btf, "be32", Uint8Array.of(127, 0, 0, 1))).toBe(0x7f000001);
  });

  it("read texts, enums and what has bit-fields", () => {
    expect(layout("value")).toMatchObject({
      size: 24,
      fields: [
        { name: "count", offset: 0, layout: { kind: "u64" } },
        { name: "name", offset: 8, layout: { kind: "str", size: 8 } },
        { name: "colour", offset: 16, layout: { kind: "u32" } },
        { name: "bits", offset: 20, layout: { kind: "struct", size: 1 } },
      ],
    });
  });
});

describe("values by a type of BTF", () => {
  it("go into bytes and back with nothing generated before", () => {
    if (btf === undefined) throw new Error("no BTF");
    const value = { count: 2n ** 40n, name: "maps", colour: 1, bits: { low: 1, high: 2 } };
    const bytes = encodeValue(btf, "value", value);
    expect(bytes.length).toBe(24);
    expect(decodeValue(btf, "value", bytes)).toEqual(value);
    expect(decodeValue(btf, "u64", Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1))).toBe(2n ** 56n + 1n);
    expect(() => decodeValue(btf, "value", bytes.subarray(1))).toThrow(/24 bytes, and these are 23/);
    expect(() => encodeValue(btf, "value", { ...value, count: 1 })).toThrow(CodecError);
    expect(() => decodeValue(btf, "nothing", bytes)).toThrow(/no type "nothing"/);
  });
});
