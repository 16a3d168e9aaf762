import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
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
