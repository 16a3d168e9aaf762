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
import { type ExtWords, FUNCTION_WORDS, LINE_WORDS, type RelocationRecord } from "../../btf/index.ts";
import {
  type ElfObject,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  SectionFlag,
  SectionType,
} from "../../elf/index.ts";
import type { Mark } from "../raw-program.ts";
import { ObjectFileError } from "./object-file-error.ts";
import { isExtern, type Relocator } from "./relocations.ts";
import { type SectionInfo, sectionInfo, within } from "./section-info.ts";

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
    functions: within(start, words, info.functions, FUNCTION_WORDS),
    lines: within(start, words, info.lines, LINE_WORDS),
    callees,
  };
}

/** A call of a function of the same program, but for its destination. */
const LOCAL_CALL = Opcode.CALL | (Callee.LOCAL << 12);

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
