import { Callee, type Instruction, Opcode, Pseudo } from "../../asm/index.ts";
import { type ElfObject, type ElfSymbol, RESERVED_SECTIONS } from "../../elf/index.ts";
import { ObjectFileError } from "./object-file-error.ts";

/** Puts what a symbol stands for into an instruction, by name. `where` begins the sentence of an error. */
export type Relocator = (instruction: Instruction, symbol: ElfSymbol, where: string) => Instruction;

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
  return (instruction, symbol, where) => {
    const section = elf.sections[symbol.section];
    const what = `"${symbol.name === "" ? (section?.name ?? "?") : symbol.name}"`;
    const isCall = instruction.opcode === Opcode.CALL;
    if (!isCall && instruction.opcode !== Opcode.LOAD_IMM64) {
      throw new ObjectFileError(
        `${where} refers to ${what} and is neither a call nor a load of 64 bits (opcode 0x${instruction.opcode.toString(16)}): the object was not made by a compiler for eBPF.`,
      );
    }
    if (isExtern(symbol)) {
      if (!externs.has(symbol.name)) {
        throw new ObjectFileError(
          `${where} refers to ${what}, which is not defined: declare it extern with __ksym or __kconfig, or link the object that has it (bpftool gen object).`,
        );
      }
      return { ...instruction, extern: symbol.name };
    }
    if (isCall) {
      throw new ObjectFileError(
        instruction.src === Callee.LOCAL
          ? `${where} calls ${what} in section ${section?.name ?? symbol.section}, where there are no functions.`
          : `${where} is a call of helper ${instruction.imm} that refers to ${what}: a call has either a number or a name.`,
      );
    }
    if (symbol.section === 0 || symbol.section >= RESERVED_SECTIONS || section === undefined)
      throw new ObjectFileError(`${where} refers to ${what}, which is in no section.`);
    const map = maps.definedAt(symbol.section, symbol.value);
    if (map !== undefined) return { ...instruction, src: Pseudo.MAP_FD, imm64: 0n, map };
    const data = maps.dataOf(symbol.section);
    if (data !== undefined) {
      // The immediate counts from the symbol; compilers refer to a section and put the place there.
      const offset = symbol.value + Number(BigInt.asIntN(32, instruction.imm64 ?? 0n));
      return {
        ...instruction,
        src: Pseudo.MAP_VALUE,
        imm64: BigInt(offset >>> 0) << 32n,
        map: data,
        mapValueOffset: offset,
      };
    }
    throw new ObjectFileError(
      `${where} refers to ${what} in section ${section.name}, which is no map, no data and no function. Maps stand in section ".maps" and need types: compile with -g.`,
    );
  };
}
