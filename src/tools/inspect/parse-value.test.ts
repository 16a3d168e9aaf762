import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { array, bool, bytes, i8, i64, type Layout, str, struct, u8, u16, u32, u64 } from "../../sdk/index.ts";
import { json } from "../text/index.ts";
import { parseValue } from "./parse-value.ts";

const read = (text: string, layout: Layout) => parseValue(text, layout, "value");

describe("values as people write them", () => {
  it("are numbers in decimal and hexadecimal, as far as the type goes", () => {
    expect(read("255", u8)).toBe(255);
    expect(read(" 0xff ", u8)).toBe(255);
    expect(read("-128", i8)).toBe(-128);
    expect(read("18446744073709551615", u64)).toBe(2n ** 64n - 1n);
    expect(read("-9223372036854775808", i64)).toBe(-(2n ** 63n));
    for (const [text, layout] of [
      ["256", u8],
      ["-1", u32],
      ["1.5", u32],
      ["1e3", u32],
      ["", u32],
      ["0x", u32],
      ["18446744073709551616", u64],
      ["true", u16],
      ["-129", i8],
    ] as const)
      expect(() => read(text, layout), text).toThrow(/^That is no value of the map: /);
  });

  it("are texts, bytes and truths", () => {
    expect(read("a b", str(8))).toBe("a b");
    expect(read('"a b"', str(8))).toBe("a b");
    expect(read("true", bool)).toBe(true);
    expect(() => read("1", bool)).toThrow(/neither true nor false/);
    for (const text of ["0a00ff", "0a 00 ff", "hex 0a 00 ff", "0x0a00ff", "0a:00:ff"])
      expect(read(text, bytes(3))).toEqual(Uint8Array.of(10, 0, 255));
    expect(() => read("0a0", bytes(2))).toThrow(/no bytes in hexadecimal/);
    expect(() => read("0a", bytes(2))).toThrow(/it has 2 bytes, and these are 1/);
  });

  it("say where in them something is wrong", () => {
    const layout = struct({ a: u32, list: array(struct({ b: u8 }), 2) });
    expect(() => read('{"a": 1, "list": [{"b": 1}, {"b": 300}]}', layout)).toThrow(
      "That is no value.list[1].b of the map: 300 does not fit in 8 bits: it is from 0 to 255.",
    );
    expect(() => read('{"a": 1, "list": [{"b": 1}]}', layout)).toThrow(/value\.list of the map: .* is no list of 2/);
    expect(() => read("[]", layout)).toThrow(/is no object with the fields a, list/);
  });

  it("are read as JSON shows them", () => {
    const layout = struct({ a: u32, b: u64, c: i64, name: str(8), raw: bytes(4), on: bool, list: array(i8, 3) });
    const value = fc.record({
      a: fc.nat(),
      b: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      c: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      name: fc.string({ maxLength: 8 }),
      raw: fc.uint8Array({ minLength: 4, maxLength: 4 }),
      on: fc.boolean(),
      list: fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 3, maxLength: 3 }),
    });
    fc.assert(
      fc.property(value, (one) => {
        expect(read(json(one), layout)).toEqual(one);
      }),
    );
  });

  it("are refused in a sentence, whatever they are", () => {
    const layouts = [u8, i64, bool, str(4), bytes(2), array(u16, 2), struct({ a: u8 })] as const;
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom(...layouts), (text, layout) => {
        try {
          read(text, layout);
        } catch (error) {
          expect(error).toMatchObject({ code: "SKEP_VALUE" });
        }
      }),
      { numRuns: 2000 },
    );
  });
});
