import { Callee, copyInstruction, type Instruction, Opcode, Pseudo } from "../../asm/index.ts";
import { type ElfObject, type ElfSection, type ElfSymbol, RESERVED_SECTIONS } from "../../elf/index.ts";
import { ObjectFileError } from "./object-file-error.ts";

/** Puts what a symbol stands for into the instruction `at` a function's slot, by name. */
export type Relocator = (instruction: Instruction, symbol: ElfSymbol, inFunction: string, at: number) => Instruction;

/** Defined outside of the object. */
export function isExtern({ section, binding, type }: ElfSymbol): boolean {
  return section === 0 && (binding === "global" || binding === "weak") && type === "none";
}

/** What sections and symbols of the object are maps. */
export interface MapPlaces {
  /** The map whose definition begins there. */
  definedAt(section: number, offset: number): string | undefined;
  /** The map that holds a section's data. */
  dataOf(section: number): string | undefined;
}

/** Relocations of instructions other than to functions: maps, data, externs. */
export function makeRelocator(elf: ElfObject, maps: MapPlaces, externs: ReadonlySet<string>): Relocator {
  return (instruction, symbol, inFunction, at) => {
    const { opcode, dst, offset, imm, imm64 = 0n } = instruction;
    if (opcode === Opcode.LOAD_IMM64 && symbol.section !== 0) {
      const map = maps.definedAt(symbol.section, symbol.value);
      if (map !== undefined) return { opcode, dst, src: Pseudo.MAP_FD, offset, imm, imm64: 0n, map };
      const data = maps.dataOf(symbol.section);
      if (data !== undefined) {
        // The immediate counts from the symbol; compilers refer to a section and put the place there.
        const mapValueOffset = symbol.value + Number(BigInt.asIntN(32, imm64));
        const place = BigInt(mapValueOffset >>> 0) << 32n;
        return { opcode, dst, src: Pseudo.MAP_VALUE, offset, imm, imm64: place, map: data, mapValueOffset };
      }
    } else if (
      isExtern(symbol) &&
      externs.has(symbol.name) &&
      (opcode === Opcode.CALL || opcode === Opcode.LOAD_IMM64)
    ) {
      const named = copyInstruction(instruction);
      named.extern = symbol.name;
      return named;
    }
    throw new ObjectFileError(
      `Function "${inFunction}", instruction ${at} ${refusal(instruction, symbol, elf.sections[symbol.section])}`,
    );
  };
}

/** Why nothing can be put in. */
function refusal({ opcode, src, imm }: Instruction, symbol: ElfSymbol, section: ElfSection | undefined): string {
  const what = `"${symbol.name === "" ? (section?.name ?? "?") : symbol.name}"`;
  const isCall = opcode === Opcode.CALL;
  if (!isCall && opcode !== Opcode.LOAD_IMM64)
    return `refers to ${what} and is neither a call nor a load of 64 bits (opcode 0x${opcode.toString(16)}): the object was not made by a compiler for eBPF.`;
  if (isExtern(symbol))
    return `refers to ${what}, which is not defined: declare it extern with __ksym or __kconfig, or link the object that has it (bpftool gen object).`;
  if (isCall)
    return src === Callee.LOCAL
      ? `calls ${what} in section ${section?.name ?? symbol.section}, where there are no functions.`
      : `is a call of helper ${imm} that refers to ${what}: a call has either a number or a name.`;
  if (symbol.section === 0 || symbol.section >= RESERVED_SECTIONS || section === undefined)
    return `refers to ${what}, which is in no section.`;
  return `refers to ${what} in section ${section.name}, which is no map, no data and no function. Maps stand in section ".maps" and need types: compile with -g.`;
}
