import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../codec/index.ts";
import { parseElf } from "../elf/index.ts";
import { decodeVariable, encodeVariable, readObject } from "../spec/index.ts";
import { Btf } from "./btf.ts";
import { BtfError } from "./btf-error.ts";

const file = (name: string) =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../test/fixtures/objects/${name}.o`, import.meta.url))));

/** BTF of types given by their words, and a table of strings. */
function btfOf(types: readonly (readonly number[])[], strings: string): Btf {
  const words = types.flat();
  const text = new TextEncoder().encode(strings);
  const bytes = new Uint8Array(24 + words.length * 4 + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  for (const [i, word] of [24, 0, words.length * 4, words.length * 4, text.length].entries())
    view.setUint32(4 + i * 4, word, true);
  for (const [i, word] of words.entries()) view.setUint32(24 + i * 4, word >>> 0, true);
  bytes.set(text, 24 + words.length * 4);
  return Btf.parse(bytes);
}

const INT = (name: number, size = 4, bits = size * 8) => [name, 1 << 24, size, (1 << 24) | bits];
const STRUCT = (name: number, size: number, ...members: readonly (readonly [number, number, number])[]) => [
  name,
  (4 << 24) | members.length,
  size,
  ...members.flat(),
];

describe("types", () => {
  it("of an object are found by name and kind, in both byte orders", () => {
    for (const order of ["el", "eb"]) {
      const { btf } = readObject(file(`maps.${order}`));
      const id = btf?.find("value", "struct") ?? 0;
      expect(btf?.type(id)).toMatchObject({ kind: "struct", name: "value", size: 24 });
      expect(btf?.find("value", "union")).toBeUndefined();
      expect(btf?.find("no such type")).toBeUndefined();
      expect(btf?.sizeOf(id)).toBe(24);
    }
  });

  it("are found whose name is the end of another, or stands twice", () => {
    // "\0my_key\0S\0S\0": "key" is the end of "my_key".
    const btf = btfOf([INT(1), INT(4), INT(8), INT(10)], "\0my_key\0S\0S\0");
    expect(btf.find("key")).toBe(2);
    expect(btf.findAll("S")).toEqual([3, 4]);
    expect(btf.candidates("S")).toEqual([3, 4]);
  });

  it("of a large table are gone over only as far as they are asked for", () => {
    // 40,000 integers, named in turn; the last record is cut short.
    const many: number[][] = Array.from({ length: 40_000 }, (_, i) => INT(1 + 2 * (i % 4)));
    const btf = btfOf([...many, [1, 4 << 24]], "\0A\0B\0C\0D\0");
    expect(btf.find("B")).toBe(2);
    expect(btf.find("D", "int")).toBe(4);
    expect(btf.find("D", "int")).toBe(4);
    expect(btf.type(30_001)).toMatchObject({ kind: "int", name: "A" });
    expect(btf.kind(30_002)).toBe("int");
    expect(btf.find("A")).toBe(1);
    expect(btf.find("Z")).toBeUndefined();
    const cut = /cut short/;
    expect(() => btf.find("C", "struct")).toThrow(cut);
    expect(() => btf.findAll("A")).toThrow(cut);
    expect(() => btf.candidates("A")).toThrow(cut);
    expect(() => btf.endId).toThrow(cut);
    expect(() => btf.type(40_001)).toThrow(cut);
    expect(() => btf.type(-1)).toThrow(cut);
    expect(() => btf.type(1.5)).toThrow(cut);
    expect(btf.type(40_000)).toMatchObject({ kind: "int", name: "D" });
  });

  it("of a large table are all found, in whatever order they are asked for", () => {
    const many: number[][] = Array.from({ length: 40_000 }, (_, i) => INT(1 + 2 * (i % 4)));
    // "E" stands twice: the first of its types is by the second text.
    const types = [...many, INT(11), STRUCT(9, 0), INT(9)];
    const make = () => btfOf(types, "\0A\0B\0C\0D\0E\0E\0");
    const questions: ((btf: Btf) => unknown)[] = [
      (btf) => btf.find("C"),
      (btf) => btf.find("E", "struct"),
      (btf) => btf.find("E", "union"),
      (btf) => btf.findAll("D").length,
      (btf) => btf.findAll("E"),
      (btf) => btf.type(39_999),
      (btf) => btf.endId,
      (btf) => btf.candidates("B").length,
      (btf) => btf.offsetOf("D"),
    ];
    const answers = questions.map((ask) => ask(make()));
    expect(answers.slice(0, 5)).toEqual([3, 40_002, undefined, 10_000, [40_001, 40_002, 40_003]]);
    for (let shift = 0; shift < questions.length; shift++) {
      const btf = make();
      for (let i = 0; i < questions.length; i++) {
        const at = (i * 4 + shift) % questions.length;
        expect(questions[at]?.(btf)).toEqual(answers[at]);
      }
    }
  });

  it("of a large table are found in one pass, however many of another kind have the name", () => {
    const forward = [1, 7 << 24, 0];
    const btf = btfOf([...Array.from({ length: 300_000 }, () => forward), INT(1)], "\0A\0");
    expect(btf.find("A", "int")).toBe(300_001);
    expect(() => btf.type(300_002)).toThrow(/There is no type 300002: the ids are 1 to 300001/);
    expect(() => btf.type(2.5)).toThrow(/There is no type 2\.5/);
  }, 5000);

  it("that hold or name themselves have no size", () => {
    const btf = btfOf([STRUCT(1, 8, [3, 1, 0], [5, 1, 32]), [1, 8 << 24, 2], [0, 3 << 24, 0, 3, 0, 2]], "\0S\0a\0b\0");
    expect(() => layoutOf(btf, 1)).toThrow(BtfError);
    expect(() => btf.resolve(2)).toThrow(/in a circle/);
    expect(() => btf.sizeOf(3)).toThrow(BtfError);
  });

  it("that many hold are gone through once", () => {
    // Each struct holds the one before it twice: 2^24 parts.
    const types: number[][] = [INT(1)];
    for (let i = 1; i <= 24; i++) types.push(STRUCT(1, 4 * 2 ** i, [3, i, 0], [5, i, 4 * 2 ** (i - 1) * 8]));
    const layout = layoutOf(btfOf(types, "\0S\0a\0b\0"), 25);
    expect(layout.size).toBe(4 * 2 ** 24);
  });

  it("with a field beyond their end, or integers of fewer bits than bytes, read as bytes", () => {
    const btf = btfOf([INT(1), STRUCT(1, 4, [3, 1, 4096 * 8]), INT(1, 4, 3)], "\0S\0a\0");
    expect(layoutOf(btf, 2)).toMatchObject({ kind: "bytes", size: 4 });
    expect(layoutOf(btf, 3)).toMatchObject({ kind: "bytes", size: 4 });
  });

  it("with endless names are refused", () => {
    const btf = btfOf([INT(1)], `\0${"x".repeat(200_000)}\0`);
    expect(() => btf.type(1)).toThrow(/more than 4096 are no name/);
    expect(() => btf.candidates("x")).toThrow(BtfError);
  });
});

describe("bytes that are no BTF", () => {
  const good = parseElf(file("core.el")).sections.find(({ name }) => name === ".BTF")?.data ?? new Uint8Array(0);
  it("are refused in a sentence", () => {
    expect(() => Btf.parse(new Uint8Array(10))).toThrow(/no BTF/);
    expect(() => Btf.parse(new Uint8Array(100))).toThrow(/begin with 0x0/);
    expect(() => Btf.parse(good.subarray(0, good.length - 1))).toThrow(/cut short/);
    expect(() => Btf.parse(good).type(100_000)).toThrow(/There is no type 100000/);
  });
});

describe("variables of an object of the other byte order", () => {
  it("are bytes", () => {
    const { btf, variables } = readObject(file("core.eb"));
    const total = variables?.["total"];
    if (btf === undefined || total === undefined) throw new Error("no total");
    expect(decodeVariable(btf, total, Uint8Array.of(0, 0, 0, 5))).toEqual(Uint8Array.of(0, 0, 0, 5));
    expect(() => encodeVariable(btf, "total", total, 5)).toThrow(/big-endian object/);
    expect(encodeVariable(btf, "total", total, Uint8Array.of(0, 0, 0, 7))).toEqual(Uint8Array.of(0, 0, 0, 7));
  });
});
