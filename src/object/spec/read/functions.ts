import { AsmError, Callee, decode, type Instruction, Opcode, Pseudo, slotsOf } from "../../asm/index.ts";
import type { ExtInfo, FunctionRecord, LineRecord, RelocationRecord } from "../../btf/index.ts";
import {
  type ElfObject,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  SectionFlag,
  SectionType,
} from "../../elf/index.ts";
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
  /** With maps, externs and callees by name; the first one has the function's name as label. */
  readonly instructions: readonly Instruction[];
  /** Functions that it calls or takes the address of, in the order in which they appear. */
  readonly callees: readonly string[];
}

/** The functions of all sections with instructions, in the order of the file. */
export function readFunctions(
  elf: ElfObject,
  info: ExtInfo | undefined,
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
    const known = told.get(section) ?? {
      relocations: new Map(
        (elf.relocations.get(section.index) ?? []).map((relocation) => [relocation.offset / 8, relocation]),
      ),
      functions: bySlot(info?.functions.get(section.name)),
      lines: bySlot(info?.lines.get(section.name)),
      cores: bySlot(info?.relocations.get(section.name)),
    };
    told.set(section, known);
    return readFunction(place, elf, known, relocator, find);
  });
}

/** What the object tells of the instructions of a section, by their slots. */
interface SectionInfo {
  readonly relocations: ReadonlyMap<number, ElfRelocation>;
  readonly functions: ReadonlyMap<number, FunctionRecord> | undefined;
  readonly lines: ReadonlyMap<number, LineRecord> | undefined;
  readonly cores: ReadonlyMap<number, RelocationRecord> | undefined;
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
  { relocations, functions, lines, cores }: SectionInfo,
  relocator: Relocator,
  find: (section: number, slot: number) => Place | undefined,
): ObjectFunction {
  const { section, name } = place;
  const bytes = section.data.subarray(place.slot * 8, (place.slot + place.slots) * 8);
  let decoded: readonly Instruction[];
  try {
    decoded = decode(bytes, { bigEndian: elf.byteOrder === "big" });
  } catch (error) {
    if (!(error instanceof AsmError)) throw error;
    throw new ObjectFileError(`Function "${name}" cannot be decoded: ${error.message}`);
  }
  const callees: string[] = [];
  const callee = (target: number, slot: number, at: number): string => {
    const found = find(target, slot);
    if (found === undefined || found.slot !== slot) {
      throw new ObjectFileError(
        `Function "${name}" calls instruction ${slot} of section ${elf.sections[target]?.name ?? target} at its instruction ${at - place.slot}, where no function begins.`,
      );
    }
    callees.push(found.name);
    return found.name;
  };
  let slot = place.slot;
  const instructions = decoded.map((plain): Instruction => {
    const at = slot;
    slot += slotsOf(plain);
    const relocation = relocations.get(at);
    let instruction = plain;
    const symbol = relocation === undefined ? undefined : elf.symbols[relocation.symbol];
    if (symbol !== undefined && isReferenceToFunction(plain, symbol, elf)) {
      // Of a global function the symbol is the place; of a static one the symbol is its section, and the immediate says
      // where in it: for calls in slots and from the next one on, for addresses in bytes.
      const target =
        plain.opcode === Opcode.CALL
          ? symbol.value / 8 + plain.imm + 1
          : (symbol.value + Number(BigInt.asIntN(32, plain.imm64 ?? 0n))) / 8;
      const isCall = plain.opcode === Opcode.CALL;
      instruction = {
        ...plain,
        ...(!isCall && { src: Pseudo.FUNC, imm64: 0n }),
        target: callee(symbol.section, target, at),
      };
    } else if (symbol !== undefined) {
      instruction = relocator(plain, symbol, `Function "${name}", instruction ${at - place.slot}`);
    } else if (plain.opcode === Opcode.CALL && plain.src === Callee.LOCAL) {
      instruction = { ...plain, target: callee(section.index, at + plain.imm + 1, at) };
    } else if (plain.opcode === Opcode.LOAD_IMM64 && plain.src === Pseudo.FUNC) {
      throw new ObjectFileError(
        `Function "${name}" takes the address of a function at its instruction ${at - place.slot}, and does not say of which (no relocation).`,
      );
    }
    const source = lines?.get(at);
    const type = functions?.get(at);
    const core = cores?.get(at);
    if (source === undefined && type === undefined && core === undefined && at !== place.slot) return instruction;
    const told: Told = { ...instruction };
    if (at === place.slot) told.label = name;
    if (type !== undefined) told.functionType = type.type;
    if (source !== undefined)
      told.source = { file: source.file, line: source.line, column: source.column, text: source.text };
    if (core !== undefined) told.relocation = { kind: core.kind, type: core.type, access: core.access };
    return told;
  });
  return { ...place, instructions, callees };
}

/** An instruction while what is told of it is put in. */
type Told = { -readonly [K in keyof Instruction]: Instruction[K] };

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

function bySlot<T extends { readonly offset: number }>(
  records: readonly T[] | undefined,
): ReadonlyMap<number, T> | undefined {
  return records === undefined ? undefined : new Map(records.map((record) => [record.offset / 8, record]));
}

/**
 * A program: the entry function, then each function that it reaches, where it is first reached, before the one that the
 * caller reaches next; and at the end one that it does not call itself.
 */
export function link(
  entry: ObjectFunction,
  functions: ReadonlyMap<string, ObjectFunction>,
  last?: ObjectFunction,
): readonly Instruction[] {
  const instructions: Instruction[] = [];
  const linked = new Set<string>();
  const add = (one: ObjectFunction): void => {
    linked.add(one.name);
    instructions.push(...one.instructions);
    for (const name of one.callees) {
      const callee = functions.get(name);
      if (callee !== undefined && !linked.has(name)) add(callee);
    }
  };
  add(entry);
  if (last !== undefined && !linked.has(last.name)) add(last);
  return instructions;
}
