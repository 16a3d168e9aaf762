import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readObject } from "../spec/index.ts";
import { bitsAt } from "./bits.ts";
import {
  array,
  CodecError,
  type Layout,
  layoutOf,
  makeDecoder,
  makeEncoder,
  memoryOf,
  type StructLayout,
  str,
  struct,
  u8,
  u16,
  u32,
  union,
} from "./index.ts";

function encode(layout: Layout, value: unknown): number[] {
  const memory = memoryOf(new ArrayBuffer(64));
  memory.u8.fill(0xa5);
  makeEncoder(layout)(memory, 8, value as never);
  for (const [i, byte] of memory.u8.entries()) if (i < 8 || i >= 8 + layout.size) expect(byte).toBe(0xa5);
  return [...memory.u8.subarray(8, 8 + layout.size)];
}

function decode(layout: Layout, content: readonly number[]): unknown {
  const memory = memoryOf(new ArrayBuffer(64));
  memory.u8.set(content, 8);
  return makeDecoder(layout)(memory, 8);
}

describe("unions", () => {
  const address = union({ v4: array(u8, 4), v6: array(u16, 8), word: u32 });
  it("have the size of their largest member and read as all of them", () => {
    expect([address.size, address.align]).toEqual([16, 4]);
    expect(decode(address, [10, 0, 0, 1, ...new Array(12).fill(0)])).toEqual({
      v4: [10, 0, 0, 1],
      v6: [10, 256, 0, 0, 0, 0, 0, 0],
      word: 0x0100000a,
    });
  });

  it("are written from one member, the rest as zeros", () => {
    expect(encode(address, { v4: [10, 0, 0, 1] })).toEqual([10, 0, 0, 1, ...new Array(12).fill(0)]);
    expect(encode(struct({ kind: u8, address }), { kind: 1, address: { word: 5 } })).toEqual([
      ...[1, 0, 0, 0, 5, 0, 0, 0],
      ...new Array(12).fill(0),
    ]);
  });

  it("take back what was read, and refuse members that contradict each other", () => {
    const bytes = Array.from({ length: 16 }, (_, i) => i);
    const value = decode(address, bytes) as Record<string, unknown>;
    expect(encode(address, value)).toEqual(bytes);
    expect(() => encode(address, { ...value, word: 7 })).toThrow(
      /value\.v4 and value\.word share memory and contradict each other/,
    );
    expect(() => encode(address, {})).toThrow(/value has none of v4, v6, word, which share memory/);
    expect(() => encode(address, { v4: [1, 2, 3] })).toThrow(CodecError);
    expect(() => encode(address, 5)).toThrow(CodecError);
  });
});

describe("bit-fields", () => {
  it("of every place and length are written and read exactly, by generated code and without", () => {
    const place = fc.record({
      at: fc.integer({ min: 0, max: 40 }),
      bits: fc.integer({ min: 1, max: 64 }),
      signed: fc.boolean(),
      seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      around: fc.boolean(),
    });
    fc.assert(
      fc.property(place, ({ at, bits, signed, seed, around }) => {
        const { offset, layout } = bitsAt(at, bits, signed);
        const whole: StructLayout = {
          kind: "struct",
          size: 16,
          align: 1,
          fields: [{ name: "f", offset, layout }],
          overlapping: true,
        };
        const exact = signed ? BigInt.asIntN(bits, seed) : BigInt.asUintN(bits, seed);
        const value = bits > 53 ? exact : Number(exact);
        const written = encode(whole, { f: value });
        let expected = BigInt.asUintN(bits, seed) << BigInt(at);
        if (around) expected |= ~(((1n << BigInt(bits)) - 1n) << BigInt(at)) & ((1n << 128n) - 1n);
        const content = Array.from({ length: 16 }, (_, i) => Number((expected >> BigInt(8 * i)) & 0xffn));
        if (!around) expect(written).toEqual(content);
        expect(decode(whole, content)).toEqual({ f: value });
      }),
    );
  });

  it("refuse what has too many bits", () => {
    const field = (signed: boolean) =>
      ({
        kind: "struct",
        size: 1,
        align: 1,
        overlapping: true,
        fields: [{ name: "f", ...bitsAt(2, 3, signed) }],
      }) as const;
    for (const bad of [8, -1, 1.5, 1n, "1", undefined])
      expect(() => encode(field(false), { f: bad })).toThrow(/bit-field of 3 bits/);
    for (const bad of [4, -5]) expect(() => encode(field(true), { f: bad })).toThrow(/signed bit-field of 3 bits/);
    expect(encode(field(true), { f: -4 })).toEqual([0b10000]);
  });

  it("stand where the compiler put them", () => {
    const file = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
    const { btf } = readObject(new Uint8Array(readFileSync(file)));
    const id = btf?.find("value", "struct");
    if (btf === undefined || id === undefined) throw new Error("no struct value");
    const layout = layoutOf(btf, id);
    const value = { count: 1n, name: "x", colour: 2, bits: { low: 5, high: 17 } };
    const bytes = encode(layout, value);
    expect(bytes[20]).toBe(5 | (17 << 3));
    expect(decode(layout, bytes)).toEqual(value);
    expect(encode(struct({ a: layout, b: str(4) }), { a: value, b: "hey" }).slice(0, 24)).toEqual(bytes);
  });
});
