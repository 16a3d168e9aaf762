import { type CodeWords, Opcode } from "../../asm/index.ts";
import { type ExtWords, FUNCTION_WORDS, LINE_WORDS, type RelocationRecord } from "../../btf/index.ts";
import type { ElfRelocation, ElfSection } from "../../elf/index.ts";

/** What the object tells of the instructions of a section. */
export interface SectionInfo {
  readonly relocations: readonly ElfRelocation[];
  readonly cores: readonly RelocationRecord[];
  /** For each slot which of the records is about it, counted from 1; the last one, where there are more. */
  readonly relocationAt: Uint32Array;
  readonly coreAt: Uint32Array;
  /** By their slots, in order, one for each. */
  readonly functions: Uint32Array;
  readonly lines: Uint32Array;
}

const NO_WORDS = new Uint32Array(0);

/** Puts it in order by slots, once for all functions of the section. */
export function sectionInfo(
  { name, data }: ElfSection,
  relocations: readonly ElfRelocation[],
  info: ExtWords | undefined,
): SectionInfo {
  const slots = data.length >>> 3;
  const cores = info?.relocations.get(name) ?? [];
  return {
    relocations,
    cores,
    relocationAt: indexBySlot(relocations, slots),
    coreAt: indexBySlot(cores, slots),
    functions: inOrder(info?.functions.get(name) ?? NO_WORDS, FUNCTION_WORDS),
    lines: inOrder(info?.lines.get(name) ?? NO_WORDS, LINE_WORDS),
  };
}

function indexBySlot(records: readonly { readonly offset: number }[], slots: number): Uint32Array {
  const at = new Uint32Array(slots);
  for (let i = 0; i < records.length; i++) {
    const { offset } = records[i] as { readonly offset: number };
    // What is beyond the section's end is left out by the array itself.
    if (offset % 8 === 0) at[offset / 8] = i + 1;
  }
  return at;
}

/** Records with slots in the place of bytes, in their order and one for each: the last one, where there are more. */
function inOrder(records: Uint32Array, width: number): Uint32Array {
  const sorted = records.slice();
  let before = -1;
  for (let i = 0; i < sorted.length; i += width) {
    const offset = sorted[i] as number;
    // Compilers write them so.
    if (offset % 8 !== 0 || offset / 8 <= before) return putInOrder(records, width);
    before = offset / 8;
    sorted[i] = before;
  }
  return sorted;
}

function putInOrder(records: Uint32Array, width: number): Uint32Array {
  const bySlot = new Map<number, Uint32Array>();
  for (let i = 0; i < records.length; i += width) {
    const offset = records[i] as number;
    if (offset % 8 === 0) bySlot.set(offset / 8, records.subarray(i + 1, i + width));
  }
  const sorted = [...bySlot].sort(([a], [b]) => a - b);
  return Uint32Array.from(sorted.flatMap(([slot, rest]) => [slot, ...rest]));
}

/** The records about the instructions of a function that begins at slot `start`, with slots counted from its beginning. */
export function within(start: number, words: CodeWords, records: Uint32Array, width: number): Uint32Array {
  const [from, to] = [firstFrom(records, width, start), firstFrom(records, width, start + words.length / 2)];
  const own = records.slice(from, to);
  let isWhole = true;
  for (let i = 0; i < own.length; i += width) {
    const slot = (own[i] as number) - start;
    own[i] = slot;
    isWhole &&= !isSecondHalf(words, slot);
  }
  if (isWhole) return own;
  const kept: number[] = [];
  for (let i = 0; i < own.length; i += width)
    if (!isSecondHalf(words, own[i] as number)) kept.push(...own.subarray(i, i + width));
  return Uint32Array.from(kept);
}

/** Of a wide load, whose second half begins with zeros: that it is one is to be seen from what stands before it. */
function isSecondHalf(words: CodeWords, slot: number): boolean {
  return slot > 0 && ((words[(slot - 1) * 2] as number) & 0xff) === Opcode.LOAD_IMM64;
}

/** Where the records from a slot on begin. */
function firstFrom(records: Uint32Array, width: number, slot: number): number {
  let low = 0;
  let high = records.length / width;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((records[middle * width] as number) < slot) low = middle + 1;
    else high = middle;
  }
  return low * width;
}
