import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { memoryOf } from "./memory.ts";
import { makeStringReader } from "./string-reader.ts";
import { makeTextReader, readText } from "./text.ts";

const PLACES = 64;

/** Fields of `size` bytes, one behind the other, each 4-aligned. */
function fields(size: number) {
  const memory = memoryOf(new ArrayBuffer(PLACES * size + 64));
  /** Writes bytes to a field; what the field had behind them stays, as in a ring buffer. */
  const put = (place: number, bytes: Uint8Array) => memory.u8.set(bytes.subarray(0, size), place * size);
  const expected = (place: number) => {
    const field = memory.u8.subarray(place * size, (place + 1) * size);
    const end = field.indexOf(0);
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(end < 0 ? field : field.subarray(0, end));
  };
  return { memory, put, expected };
}

const utf8 = (text: string) => new TextEncoder().encode(`${text}\0`);

/** Names out of a small set, so that they repeat, and bytes of any kind. */
const contents = fc.oneof(
  fc
    .constantFrom("", "a", "node", "bash", "kworker/0:1", "/etc/passwd", "/usr/lib/x86_64-linux-gnu/libc.so.6")
    .map(utf8),
  fc.string({ unit: "grapheme", maxLength: 40 }).map(utf8),
  fc.uint8Array({ maxLength: 300 }),
);

describe("reading strings", () => {
  for (const size of [4, 16, 64, 68, 256, 260, 1024]) {
    it(`gives the text of a field of ${size} bytes, whatever was there before`, () => {
      const { memory, put, expected } = fields(size);
      const readers = [
        makeStringReader(size, memory),
        (offset: number) => unbound(memory, offset),
        (offset: number) => text(offset, size),
        (offset: number) => readText(memory, offset, size),
      ];
      const unbound = makeStringReader(size);
      const text = makeTextReader(memory);
      fc.assert(
        fc.property(fc.array(fc.tuple(fc.nat(PLACES - 1), contents), { maxLength: 50 }), (writes) => {
          for (const [place, bytes] of writes) {
            put(place, bytes);
            for (const read of readers) expect(read(place * size)).toBe(expected(place));
          }
        }),
        { numRuns: 200 },
      );
    });
  }

  it("reads fields that are not made of words", () => {
    const { memory } = fields(64);
    const text = makeTextReader(memory);
    for (const offset of [0, 1, 2, 3, 4, 7]) {
      for (const size of [1, 2, 3, 5, 6, 7, 9, 30]) {
        for (let length = 0; length <= size; length++) {
          memory.u8.fill(0x7a);
          memory.u8.set(utf8("abcdefghijklmnopqrstuvwxyz0123456789".slice(0, length)), offset);
          const expected = length < size ? "abcdefghijklmnopqrstuvwxyz0123456789".slice(0, length) : undefined;
          const got = text(offset, size);
          expect(got).toBe(expected ?? "abcdefghijklmnopqrstuvwxyz0123456789".slice(0, size));
          expect(readText(memory, offset, size)).toBe(got);
        }
      }
    }
  });

  it("goes on when names stop repeating, and when they repeat again", () => {
    const size = 32;
    const { memory, put } = fields(size);
    const read = makeStringReader(size, memory);
    const once = (name: string) => {
      put(3, utf8(name));
      if (read(3 * size) !== name) throw new Error(`${name} was read as ${read(3 * size)}`);
    };
    for (let i = 0; i < 20_000; i++) once(`/proc/${i}/status`);
    for (let i = 0; i < 300_000; i++) once(`name ${i % 7}`);
    for (let i = 0; i < 20_000; i++) once(`/proc/${i}/status`);
  });

  it("keeps apart what has the same hash", () => {
    // Far more names than slots: each slot is fought for.
    const size = 16;
    const { memory, put } = fields(size);
    const read = makeStringReader(size, memory);
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 1300; i++) {
        for (let again = 0; again < 3; again++) {
          put(0, utf8(`n${i}`));
          expect(read(0)).toBe(`n${i}`);
        }
      }
    }
  });
});
