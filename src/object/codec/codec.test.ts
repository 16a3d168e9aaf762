import { describe, expect, expectTypeOf, it } from "vitest";
import { checkDecoding, checkRoundTrips } from "../../../test/support/codec-laws.ts";
import {
  array,
  be16,
  be32,
  be64,
  bool,
  bytes,
  CodecError,
  type Infer,
  i8,
  i16,
  i32,
  i64,
  i64n,
  type Layout,
  makeBoundDecoder,
  makeDecoder,
  makeEncoder,
  memoryOf,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64n,
} from "./index.ts";
import { readSlowly } from "./read-slowly.ts";

function memory(size = 64) {
  return memoryOf(new ArrayBuffer(size));
}

function encode<L extends Layout>(layout: L, value: unknown): Uint8Array {
  const m = memory(Math.ceil(layout.size / 8) * 8 || 8);
  makeEncoder(layout)(m, 0, value as Infer<L>);
  return m.u8.slice(0, layout.size);
}

function decode<L extends Layout>(layout: L, ...content: number[]): Infer<L> {
  const m = memory(Math.ceil(Math.max(layout.size, content.length) / 8) * 8 || 8);
  m.u8.set(content);
  return makeDecoder(layout)(m, 0);
}

describe("layouts", () => {
  it("have the places of the same struct in C", () => {
    const layout = struct({ a: u8, b: u64, c: u16, d: array(u32, 3), e: str(5) });
    expect(layout.fields.map((f) => [f.name, f.offset])).toEqual([
      ["a", 0],
      ["b", 8],
      ["c", 16],
      ["d", 20],
      ["e", 32],
    ]);
    expect([layout.size, layout.align]).toEqual([40, 8]);
    const inner = struct({ x: u16, y: u8 });
    expect([inner.size, inner.align]).toEqual([4, 2]);
    expect(struct({ a: u8, inner, b: u8 }).size).toBe(8);
    expect(struct({}).size).toBe(0);
  });

  it("refuse field names that JavaScript would put in another order", () => {
    // { b, 0 } would become { 0, b }: every field behind would be read from a wrong place.
    expect(() => struct({ b: u8, "0": u64 })).toThrow(CodecError);
    expect(() => struct({ "4294967294": u8 })).toThrow(/"4294967294"/);
    expect(struct({ "01": u8, "-1": u8, "1.5": u8 }).fields.map((f) => f.name)).toEqual(["01", "-1", "1.5"]);
  });

  it("refuse lengths that are none", () => {
    for (const length of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => bytes(length)).toThrow(CodecError);
      expect(() => str(length)).toThrow(CodecError);
      expect(() => array(u8, length)).toThrow(CodecError);
    }
  });

  it("give the types of what they read as", () => {
    const layout = struct({
      pid: u32,
      ns: u64,
      n: u64n,
      ok: bool,
      comm: str(16),
      raw: bytes(4),
      list: array(struct({ x: i64 }), 2),
    });
    expectTypeOf<Infer<typeof layout>>().toEqualTypeOf<{
      pid: number;
      ns: bigint;
      n: number;
      ok: boolean;
      comm: string;
      raw: Uint8Array;
      list: { x: bigint }[];
    }>();
  });
});

describe("encoders and decoders", () => {
  const runs = Number(process.env["SKEP_FUZZ_RUNS"] ?? 400);
  const timeout = 60_000 + runs * 100;
  it(
    "round-trip every layout, agree with a plain model, and touch no other byte",
    () => checkRoundTrips(runs),
    timeout,
  );
  it("read any bytes at any alignment as a plain model does", () => checkDecoding(runs), timeout);

  it("refuse every value outside the range, by its name and place", () => {
    const wrong: [Layout, unknown[]][] = [
      [u8, [-1, 256, 1.5, Number.NaN, 1n, "1", null, undefined, true]],
      [i8, [-129, 128, 0.5, 0n]],
      [u16, [-1, 65_536, 0.1, Number.POSITIVE_INFINITY]],
      [i16, [-32_769, 32_768]],
      [u32, [-1, 2 ** 32, 0.5, 5n]],
      [i32, [-(2 ** 31) - 1, 2 ** 31, "0"]],
      [be16, [-1, 65_536, 0.5, 1n]],
      [be32, [-1, 2 ** 32, 0.5, 1n]],
      [be64, [-1n, 2n ** 64n, 1]],
      [u64, [-1n, 2n ** 64n, 1, 1.5, undefined]],
      [i64, [-(2n ** 63n) - 1n, 2n ** 63n, 0]],
      [u64n, [-1, 2 ** 53, 0.5, Number.NaN, 1n]],
      [i64n, [2 ** 53, -(2 ** 53), 0.5, 1n]],
      [bool, [0, 1, "true", null]],
      [bytes(2), [new Uint8Array(1), new Uint8Array(3), [1, 2], "ab"]],
      [str(4), ["four", "éé", 4, "a\0b", null]],
      [array(u8, 2), [[1], [1, 2, 3], "ab", [1, 256], new Uint8Array(2)]],
      [struct({ a: u8 }), [null, undefined, 5, "a", {}, { a: 256 }]],
    ];
    for (const [layout, values] of wrong) {
      for (const value of values) expect(() => encode(layout, value), String(value)).toThrow(CodecError);
    }
    expect(() => encode(struct({ list: array(struct({ x: u8 }), 2) }), { list: [{ x: 1 }, { x: 300 }] })).toThrow(
      "value.list[1].x is 300 (number), which does not fit u8.",
    );
  });

  it("take every value at the edge of its range", () => {
    const edges: [Layout, unknown[]][] = [
      [u8, [0, 255, -0]],
      [i8, [-128, 127]],
      [u16, [0, 65_535]],
      [i16, [-32_768, 32_767]],
      [u32, [0, 2 ** 32 - 1]],
      [i32, [-(2 ** 31), 2 ** 31 - 1]],
      [u64, [0n, 2n ** 64n - 1n]],
      [i64, [-(2n ** 63n), 2n ** 63n - 1n]],
      [u64n, [0, 2 ** 53 - 1, 2 ** 32, 2 ** 32 - 1]],
      [i64n, [2 ** 53 - 1, -(2 ** 53) + 1, -1, -(2 ** 32)]],
      [str(4), ["", "abc", "é"]],
    ];
    for (const [layout, values] of edges) {
      for (const value of values) {
        expect(decode(layout, ...encode(layout, value)), String(value)).toEqual(value === 0 ? 0 : value);
      }
    }
  });

  it("have network byte order where it is said", () => {
    const layout = struct({ port: be16, address: be32, id: be64 });
    expect([layout.fields[1]?.offset, layout.fields[2]?.offset, layout.size]).toEqual([4, 8, 16]);
    const value = { port: 0x0102, address: 0x7f000001, id: 0x0102030405060708n };
    expect([...encode(layout, value)]).toEqual([1, 2, 0, 0, 0x7f, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(decode(layout, ...encode(layout, value))).toEqual(value);
  });

  it("never round a 64-bit number", () => {
    expect(decode(u64n, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f, 0)).toBe(2 ** 53 - 1);
    expect(() => decode(u64n, 0, 0, 0, 0, 0, 0, 0x20, 0)).toThrow(/9007199254740992 .*as u64/);
    expect(decode(i64n, 1, 0, 0, 0, 0, 0, 0xe0, 0xff)).toBe(-(2 ** 53) + 1);
    expect(() => decode(i64n, 0, 0, 0, 0, 0, 0, 0xe0, 0xff)).toThrow(/-9007199254740992 .*as i64/);
    expect(() => decode(i64n, 0, 0, 0, 0, 0, 0, 0, 0x80)).toThrow(CodecError);
  });

  it("write padding as zeros, because a hash map compares keys whole", () => {
    const layout = struct({ a: u8, b: u32, c: u8 });
    const m = memory();
    m.u8.fill(0xff);
    makeEncoder(layout)(m, 0, { a: 1, b: 2, c: 3 });
    expect([...m.u8.subarray(0, 12)]).toEqual([1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0]);
    makeEncoder(str(8))(m, 16, "ab");
    expect([...m.u8.subarray(16, 24)]).toEqual([97, 98, 0, 0, 0, 0, 0, 0]);
  });

  it("copy bytes out: what is read stays when the memory changes", () => {
    const m = memory();
    m.u8.set([1, 2, 3, 4]);
    const value = makeDecoder(struct({ b: bytes(4) }))(m, 0);
    m.u8.fill(9);
    expect([...value.b]).toEqual([1, 2, 3, 4]);
    expect(value.b.buffer).not.toBe(m.u8.buffer);
  });

  it("keep names like __proto__ as plain fields", () => {
    const layout = struct({ ["__proto__"]: u8, constructor: u8 });
    const value = decode(layout, 7, 8);
    expect(Object.keys(value)).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.entries(value)).toEqual([
      ["__proto__", 7],
      ["constructor", 8],
    ]);
  });
});

describe("strings", () => {
  const comm = struct({ comm: str(16) });

  function write(m: ReturnType<typeof memory>, at: number, content: string | Uint8Array, filler = 0): void {
    m.u8.fill(filler, at, at + 16);
    const data = typeof content === "string" ? Buffer.from(`${content}\0`) : content;
    m.u8.set(data.subarray(0, 16), at);
  }

  it("end at the NUL, whatever stands behind it", () => {
    const m = memory();
    const read = makeDecoder(comm);
    for (const filler of [0, 0xff, 0x41, 1]) {
      write(m, 0, "node", filler);
      expect(read(m, 0).comm).toBe("node");
    }
  });

  it("may fill the field without a NUL", () => {
    const m = memory();
    write(m, 0, "0123456789abcdef");
    write(m, 16, "XX");
    expect(makeDecoder(comm)(m, 0).comm).toBe("0123456789abcdef");
    expect(makeDecoder(comm)(m, 16).comm).toBe("XX");
  });

  it("read right whether they repeat, do not, or do for a while", () => {
    const m = memory();
    const read = makeDecoder(comm);
    const check = (text: string) => {
      write(m, 8, text, text.length);
      const got = read(m, 8).comm;
      if (got !== text) expect(got).toBe(text);
    };
    // More than are kept, so that each slot is written over; then none twice, so that keeping is given up; then few again.
    for (let round = 0; round < 3; round++) for (let i = 0; i < 3000; i++) check(`name${i}`);
    for (let i = 0; i < 300_000; i++) check(`u${i}`);
    for (let i = 0; i < 20_000; i++) check(["bash", "node", "é€😀", "", "kworker/u8:1"][i % 5] as string);
  });

  it("tell apart what differs in one byte, at every length", () => {
    const m = memory();
    const read = makeDecoder(comm);
    for (let length = 0; length <= 16; length++) {
      for (let at = 0; at < length; at++) {
        for (const last of ["a", "b", "\u007f"]) {
          const text = `${"a".repeat(at)}${last}${"a".repeat(length - at - 1)}`;
          write(m, 0, text, 0xee);
          expect(read(m, 0).comm).toBe(text);
        }
      }
    }
  });

  it("show bytes that are no UTF-8 as U+FFFD", () => {
    const m = memory();
    write(m, 0, Uint8Array.of(0x61, 0xff, 0xfe, 0x62, 0));
    expect(makeDecoder(comm)(m, 0).comm).toBe("a\ufffd\ufffdb");
    // Cut in the middle of a character.
    write(m, 0, Buffer.from("123456789012345€"));
    expect(makeDecoder(comm)(m, 0).comm).toBe("123456789012345\ufffd");
  });

  it("longer than what is kept are read whole", () => {
    const layout = struct({ path: str(4096) });
    const m = memory(4096);
    const read = makeDecoder(layout);
    for (const length of [0, 1, 251, 252, 253, 255, 256, 257, 1000, 4095]) {
      for (const last of ["x", "y"]) {
        const text = `${"p".repeat(Math.max(0, length - 1))}${length > 0 ? last : ""}`;
        m.u8.fill(0xcc);
        m.u8.set(Buffer.from(`${text}\0`).subarray(0, 4096));
        expect(read(m, 0).path).toBe(text);
      }
    }
  });
});

describe("memory", () => {
  it("has all its views over the same bytes", () => {
    const m = memory(16);
    m.u64[1] = 0x8877665544332211n;
    expect(m.u8[8]).toBe(0x11);
    expect(m.u16[4]).toBe(0x2211);
    expect(m.u32[3]).toBe(0x88776655);
    expect(m.i32[3]).toBe(0x88776655 | 0);
    expect(m.i64[1]).toBe(BigInt.asIntN(64, 0x8877665544332211n));
    expect(m.view.getUint8(15)).toBe(0x88);
    m.u8.set(Buffer.from("é!"));
    expect(m.text.utf8Slice(0, 3)).toBe("é!");
    expect(m.text.latin1Slice(0, 3)).toBe("Ã©!");
  });
});

describe("layouts of very many fields", () => {
  it("are read as small ones are", () => {
    const kinds = [
      u8,
      i8,
      bool,
      u16,
      i16,
      u32,
      i32,
      u64,
      i64,
      u64n,
      i64n,
      be16,
      be32,
      be64,
      str(8),
      bytes(3),
      array(u32, 3),
    ];
    const some = struct(Object.fromEntries(kinds.map((kind, i) => [`f${i}`, kind])));
    // Far more than a function's constants, and the ones before and behind that limit.
    const many = struct(Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`s${i}`, some])));
    const m = memory(Math.ceil(many.size / 8) * 8);
    // Each byte another, none above 7: so numbers are small enough to be exact, and some words have their highest bit set below.
    for (let i = 0; i < m.u8.length; i++) m.u8[i] = (i * 7 + (i >>> 5)) & 7;
    for (const { offset } of many.fields) {
      const field = (i: number) => offset + (some.fields[i] as { readonly offset: number }).offset;
      m.u8[field(5) + 3] = 0xff;
      m.u8[field(9) + 3] = 0xfe;
      m.u8[field(9) + 7] = 0;
      m.u8[field(9) + 6] = 0;
      m.u8.fill(0xff, field(10) + 3, field(10) + 8);
    }
    expect(makeDecoder(many)(m, 0)).toEqual(readSlowly(many, m, 0));
    expect(makeBoundDecoder(many, m)(0)).toEqual(readSlowly(many, m, 0));
    // Both numbers whose words have signs, and -1 in the middle of them.
    const first = makeDecoder(many)(m, 0)["s0"] as Record<string, unknown>;
    expect(Math.min(first["f5"] as number, first["f9"] as number)).toBeGreaterThan(2 ** 31);
    expect(first["f10"]).toBeLessThan(0);
  });

  it("do not take the stack, however they are nested", () => {
    let layout: Layout = u8;
    for (let depth = 0; depth < 6; depth++) layout = array(layout, 8);
    const m = memory(8 ** 6);
    m.u8[8 ** 6 - 1] = 9;
    expect((makeDecoder(layout)(m, 0) as number[]).flat(5).lastIndexOf(9)).toBe(8 ** 6 - 1);
  });
});
