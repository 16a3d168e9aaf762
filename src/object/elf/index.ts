/** ELF files: eBPF objects, and the symbols of programs and libraries. Bytes in, values out. */
export {
  type ElfObject,
  type ElfRelocation,
  type ElfSection,
  type ElfSymbol,
  parseElf,
  RESERVED_SECTIONS,
  SectionFlag,
  SectionType,
} from "./elf.ts";
export { ElfError } from "./elf-error.ts";
export { findSymbols, type ReadFile, type SymbolPlace } from "./find-symbols.ts";
