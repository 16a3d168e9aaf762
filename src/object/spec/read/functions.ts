import {
  AsmError,
  type ByteOrderOptions,
  Callee,
  type CodeWords,
  codeWords,
  copyInstruction,
  decodeAt,
  type Instruction,
  Opcode,
  Pseudo,
  writeAt,
} from "../../asm/index.ts";
import { type Btf, type ExtWords, FUNCTION_WORDS, LINE_WORDS, type RelocationRecord } from "../../btf/index.ts";
import {
  type ElfObject,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  SectionFlag,
  SectionType,
} from "../../elf/index.ts";
import type { Mark, RawProgram } from "../raw-program.ts";
import { ObjectFileError } from "./object-file-error.ts";
import { isExtern, type Relocator } from "./relocations.ts";

/** A function of the object: an entry point, or one that others call. */
export interface ObjectFunction {
  /** The name, made unique where two static functions share one. */
  readonly name: string;
  readonly section: ElfSection;
  readonly symbol: ElfSymbol;
  /** Its first slot in the section, and how many it has. */
  readonly slot: number;
  readonly slots: number;
  /** With what it names put in, but for distances to other functions. */
  readonly words: CodeWords;
  /** What it names: maps, externs, callees, and what CO-RE relocates. Slots count from its beginning, as in the two below. */
  readonly marks: readonly Mark[];
  /** As in RawProgram. */
  readonly functions: Uint32Array;
  readonly lines: Uint32Array;
  /** Functions that it calls or takes the address of, in the order in which they appear. */
  readonly callees: readonly string[];
}

/** The functions of all sections with instructions, in the order of the file. */
export function readFunctions(
  elf: ElfObject,
  info: ExtWords | undefined,
  relocator: Relocator,
): readonly ObjectFunction[] {
  const places: Place[] = [];
  const names = new Set<string>();
  for (const section of elf.sections) {
    if (section.type !== SectionType.progbits || (section.flags & SectionFlag.executable) === 0) continue;
    const symbols = elf.symbols
      .filter((symbol) => symbol.section === section.index && symbol.type === "function")
      .sort((a, b) => a.value - b.value);
    for (const symbol of symbols) places.push(placeOf(symbol, section, names));
  }
  const find = (section: number, slot: number) =>
    places.find((place) => place.section.index === section && slot >= place.slot && slot < place.slot + place.slots);
  // A section may have many functions: what is told of its instructions is put in order once.
  const told = new Map<ElfSection, SectionInfo>();
  return places.map((place) => {
    const { section } = place;
    const known = told.get(section) ?? sectionInfo(section, elf.relocationsOf(section.index), info);
    told.set(section, known);
    return readFunction(place, elf, known, relocator, find);
  });
}

/** What the object tells of the instructions of a section. */
interface SectionInfo {
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

function sectionInfo(
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

interface Place {
  readonly name: string;
  readonly section: ElfSection;
  readonly symbol: ElfSymbol;
  readonly slot: number;
  readonly slots: number;
}

function placeOf(symbol: ElfSymbol, section: ElfSection, names: Set<string>): Place {
  const { value, size } = symbol;
  if (value % 8 !== 0 || size % 8 !== 0 || size === 0 || value + size > section.data.length) {
    throw new ObjectFileError(
      `Function "${symbol.name}" has bytes ${value} to ${value + size} of section ${section.name}, which has ${section.data.length}: the object is damaged, or was not made by a compiler for eBPF.`,
    );
  }
  let { name } = symbol;
  for (let n = 2; names.has(name); n++) name = `${symbol.name}#${n}`;
  names.add(name);
  return { name, section, symbol, slot: value / 8, slots: size / 8 };
}

function readFunction(
  place: Place,
  elf: ElfObject,
  info: SectionInfo,
  relocator: Relocator,
  find: (section: number, slot: number) => Place | undefined,
): ObjectFunction {
  const { section, symbol, name, slot: start, slots } = place;
  const { relocations, relocationAt, cores, coreAt } = info;
  const options = { bigEndian: elf.byteOrder === "big" };
  const words = codeWords(section.data.subarray(start * 8, (start + slots) * 8), options);
  const callees: string[] = [];
  const callee = (target: number, slot: number, at: number): string => {
    const found = find(target, slot);
    if (found === undefined || found.slot !== slot) {
      throw new ObjectFileError(
        `Function "${name}" calls instruction ${slot} of section ${elf.sections[target]?.name ?? target} at its instruction ${at}, where no function begins.`,
      );
    }
    callees.push(found.name);
    return found.name;
  };
  /** The instruction with what it names, where it names something. */
  const named = (plain: Instruction, at: number, relocation: ElfRelocation | undefined): Instruction => {
    const symbol = relocation === undefined ? undefined : elf.symbols[relocation.symbol];
    if (symbol !== undefined && isReferenceToFunction(plain, symbol, elf)) {
      // Of a global function the symbol is the place; of a static one the symbol is its section, and the immediate says
      // where in it: for calls in slots and from the next one on, for addresses in bytes.
      const isCall = plain.opcode === Opcode.CALL;
      const target = isCall
        ? symbol.value / 8 + plain.imm + 1
        : (symbol.value + Number(BigInt.asIntN(32, plain.imm64 ?? 0n))) / 8;
      const { opcode, dst, src, offset, imm } = plain;
      const name = callee(symbol.section, target, at);
      return isCall
        ? { opcode, dst, src, offset, imm, target: name }
        : { opcode, dst, src: Pseudo.FUNC, offset, imm, imm64: 0n, target: name };
    }
    if (symbol !== undefined) return relocator(plain, symbol, name, at);
    if (plain.opcode === Opcode.CALL && plain.src === Callee.LOCAL) {
      const { opcode, dst, src, offset, imm } = plain;
      return { opcode, dst, src, offset, imm, target: callee(section.index, start + at + imm + 1, at) };
    }
    if (plain.opcode === Opcode.LOAD_IMM64 && plain.src === Pseudo.FUNC) {
      throw new ObjectFileError(
        `Function "${name}" takes the address of a function at its instruction ${at}, and does not say of which (no relocation).`,
      );
    }
    return plain;
  };
  const marks: Mark[] = [];
  for (let at = 0; at < slots; at++) {
    const first = words[at * 2] as number;
    const isWide = (first & 0xff) === Opcode.LOAD_IMM64;
    const relocation = relocationAt[start + at] as number;
    const core = coreAt[start + at] as number;
    // Others name nothing, and nothing can be wrong with them.
    if (!isWide && relocation === 0 && core === 0 && (first & 0xf0ff) !== LOCAL_CALL) continue;
    const plain = decodeOne(name, words, at, options);
    const one = named(plain, at, relocations[relocation - 1]);
    if (one !== plain) writeAt(words, at, one);
    if (core !== 0) marks.push({ slot: at, instruction: relocated(one, cores[core - 1] as RelocationRecord) });
    else if (one !== plain) marks.push({ slot: at, instruction: one });
    if (isWide) at++;
  }
  return {
    name,
    section,
    symbol,
    slot: start,
    slots,
    words,
    marks,
    functions: within(place, words, info.functions, FUNCTION_WORDS),
    lines: within(place, words, info.lines, LINE_WORDS),
    callees,
  };
}

/** A call of a function of the same program, but for its destination. */
const LOCAL_CALL = Opcode.CALL | (Callee.LOCAL << 12);

/** The records about the instructions of a function, with slots counted from its beginning. */
function within({ slot: start, slots }: Place, words: CodeWords, records: Uint32Array, width: number): Uint32Array {
  const [from, to] = [firstFrom(records, width, start), firstFrom(records, width, start + slots)];
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

function relocated(instruction: Instruction, { kind, type, access }: RelocationRecord): Instruction {
  const copy = copyInstruction(instruction);
  copy.relocation = { kind, type, access };
  return copy;
}

function decodeOne(name: string, words: CodeWords, slot: number, options: ByteOrderOptions): Instruction {
  try {
    return decodeAt(words, slot, options);
  } catch (error) {
    if (!(error instanceof AsmError)) throw error;
    throw new ObjectFileError(`Function "${name}" cannot be decoded: ${error.message}`);
  }
}

function isReferenceToFunction(instruction: Instruction, symbol: ElfSymbol, elf: ElfObject): boolean {
  if (isExtern(symbol)) return false;
  if (instruction.opcode === Opcode.CALL) return instruction.src === Callee.LOCAL;
  const section = elf.sections[symbol.section];
  return (
    instruction.opcode === Opcode.LOAD_IMM64 &&
    section !== undefined &&
    (section.flags & SectionFlag.executable) !== 0 &&
    (symbol.type === "function" || symbol.type === "section")
  );
}

/**
 * A program: the entry function, then each function that it reaches, where it is first reached, before the one that the
 * caller reaches next; and at the end one that it does not call itself.
 */
export function link(
  entry: ObjectFunction,
  functions: ReadonlyMap<string, ObjectFunction>,
  btf: Btf | undefined,
  last?: ObjectFunction,
): RawProgram {
  if (entry.callees.length === 0 && last === undefined) {
    const { name, words, marks, functions, lines } = entry;
    return { words, marks, starts: [{ slot: 0, name }], functions, lines, btf };
  }
  const parts: ObjectFunction[] = [];
  const starts = new Map<string, number>();
  let slots = 0;
  const add = (one: ObjectFunction): void => {
    starts.set(one.name, slots);
    parts.push(one);
    slots += one.slots;
    for (const name of one.callees) {
      const callee = functions.get(name);
      if (callee !== undefined && !starts.has(name)) add(callee);
    }
  };
  add(entry);
  if (last !== undefined && !starts.has(last.name)) add(last);
  const words = new Uint32Array(slots * 2);
  const marks: Mark[] = [];
  for (const part of parts) {
    const start = starts.get(part.name) as number;
    words.set(part.words, start * 2);
    for (const mark of part.marks)
      marks.push(start === 0 ? mark : { slot: start + mark.slot, instruction: mark.instruction });
  }
  for (const { slot, instruction } of marks) {
    const target = instruction.target === undefined ? undefined : starts.get(instruction.target);
    if (target !== undefined) words[slot * 2 + 1] = target - slot - 1;
  }
  const shifted = (records: "functions" | "lines", width: number): Uint32Array => {
    const all = new Uint32Array(parts.reduce((sum, part) => sum + part[records].length, 0));
    let end = 0;
    for (const part of parts) {
      all.set(part[records], end);
      const start = starts.get(part.name) as number;
      for (let i = end; i < end + part[records].length; i += width) all[i] = (all[i] as number) + start;
      end += part[records].length;
    }
    return all;
  };
  return {
    words,
    marks,
    starts: Array.from(starts, ([name, slot]) => ({ slot, name })),
    functions: shifted("functions", FUNCTION_WORDS),
    lines: shifted("lines", LINE_WORDS),
    btf,
  };
}
