import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseElf } from "./elf.ts";
import { ElfError } from "./elf-error.ts";

const file = () =>
  new Uint8Array(readFileSync(fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url))));
/** Of an Elf64_Rel, where the symbol's index stands. */
const SYMBOL = 12;

describe("what an object changes in its sections", () => {
  it("is read once", () => {
    const elf = parseElf(file());
    const maps = elf.sections.find(({ name }) => name === ".maps");
    const found = elf.relocationsOf(maps?.index ?? 0);
    expect(found.length).toBeGreaterThan(0);
    expect(elf.relocationsOf(maps?.index ?? 0)).toBe(found);
    expect(elf.relocationsOf(elf.sections.length)).toEqual([]);
  });

  it("is checked where somebody asks for it, and only there", () => {
    const bytes = file();
    const { sections } = parseElf(bytes);
    const broken = (target: string) => {
      const section = sections.find(({ name }) => name === `.rel${target}`);
      const copy = bytes.slice();
      new DataView(copy.buffer).setUint32((section?.data.byteOffset ?? 0) + SYMBOL, 1 << 20, true);
      const elf = parseElf(copy);
      const index = sections.find(({ name }) => name === target)?.index ?? 0;
      return () => elf.relocationsOf(index);
    };
    for (const target of [".maps", ".BTF.ext"]) {
      const ask = broken(target);
      expect(ask).toThrow(ElfError);
      expect(ask).toThrow(/refers to symbol 1048576, and there are/);
    }
  });
});
