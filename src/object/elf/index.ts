/** ELF files: eBPF objects, the symbols of programs and libraries, the probes written into them. Bytes in, values out. */

export { type DebugLink, readDebugLink } from "./debug-link.ts";
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
export { ElfMachine, type ElfTables, type ReadFile, readTables } from "./elf-tables.ts";
export { findSymbols, matchSymbols, type SymbolPlace } from "./find-symbols.ts";
export { readLibraryCache } from "./library-cache.ts";
export { type ElfNote, notesOf } from "./notes.ts";
export { readUsdtPlaces, type UsdtPlace } from "./stapsdt.ts";
export { parseUsdtArguments, type UsdtArgument, UsdtArgumentError } from "./usdt-argument.ts";
