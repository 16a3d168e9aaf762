import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseElf } from "../elf/index.ts";
import { Btf } from "./btf.ts";
import { BtfError } from "./btf-error.ts";
import { LINE_WORDS, readExtInfo, readExtWords } from "./ext-info.ts";

/** `.BTF.ext` with lines alone: blocks of a section's name and its records, which have `size` bytes. */
function extOf(
  blocks: readonly (readonly [number, ...(readonly number[])[]])[],
  little: boolean,
  size = 16,
): Uint8Array {
  const words: number[] = [size];
  for (const [section, ...records] of blocks) {
    words.push(section, records.length);
    for (const record of records) words.push(...record, ...new Array(size / 4 - record.length).fill(0xdead));
  }
  const view = new DataView(new ArrayBuffer(24 + words.length * 4));
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, 1);
  for (const [i, word] of [24, 0, 0, 0, words.length * 4].entries()) view.setUint32(4 + i * 4, word, little);
  for (const [i, word] of words.entries()) view.setUint32(24 + i * 4, word, little);
  return new Uint8Array(view.buffer);
}

const TEXTS = ["", "code", "a.c", "x = 1;", "other"];
const text = (offset: number): string => {
  const found = TEXTS[offset];
  if (found === undefined) throw new BtfError(`no text at ${offset}`);
  return found;
};
const line = (offset: number, number: number, column: number) => [offset, 2, 3, (number << 10) | column];

describe("lines of .BTF.ext", () => {
  for (const little of [true, false]) {
    for (const size of [16, 24]) {
      it(`are read of ${little ? "little" : "big"}-endian objects with records of ${size} bytes`, () => {
        const { lines } = readExtInfo(extOf([[1, line(0, 7, 3), line(16, 8, 1023)]], little, size), text);
        expect([...lines]).toEqual([
          [
            "code",
            [
              { offset: 0, file: "a.c", text: "x = 1;", line: 7, column: 3 },
              { offset: 16, file: "a.c", text: "x = 1;", line: 8, column: 1023 },
            ],
          ],
        ]);
      });
    }
  }

  it("of a section come in any number of blocks", () => {
    const blocks = Array.from({ length: 300 }, (_, i) => [i % 3 === 0 ? 4 : 1, line(i * 8, i, 1)] as const);
    const { lines } = readExtWords(extOf(blocks, true), text);
    const slots = (name: string) => [...(lines.get(name) ?? [])].filter((_, i) => i % LINE_WORDS === 0);
    expect(slots("other")).toEqual(Array.from({ length: 100 }, (_, i) => i * 24));
    expect(slots("code").length).toBe(200);
  });

  it("whose text is not there are refused", () => {
    for (const bad of [
      [0, 9, 3, 0],
      [0, 2, 9, 0],
    ])
      expect(() => readExtWords(extOf([[1, line(0, 1, 1), bad]], true), text)).toThrow(/no text at 9/);
  });

  it("are the same as records and as words", () => {
    const bytes = readFileSync(fileURLToPath(new URL("../../../test/fixtures/objects/core.el.o", import.meta.url)));
    const section = (name: string) =>
      parseElf(new Uint8Array(bytes)).sections.find((one) => one.name === name)?.data ?? new Uint8Array(0);
    const btf = Btf.parse(section(".BTF"));
    const read = (offset: number) => btf.text(offset);
    const records = readExtInfo(section(".BTF.ext"), read);
    const words = readExtWords(section(".BTF.ext"), read);
    expect(records.lines.size).toBeGreaterThan(0);
    for (const [name, lines] of records.lines) {
      const own = words.lines.get(name) ?? new Uint32Array(0);
      expect(own.length).toBe(lines.length * LINE_WORDS);
      for (const [i, one] of lines.entries()) {
        const [offset, file = 0, source = 0, place = 0] = own.subarray(i * LINE_WORDS);
        expect(one).toEqual({
          offset,
          file: btf.text(file),
          text: btf.text(source),
          line: place >>> 10,
          column: place & 0x3ff,
        });
      }
    }
    expect(words.relocations).toEqual(records.relocations);
  });
});
