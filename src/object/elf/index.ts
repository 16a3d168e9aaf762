/** ELF files: eBPF objects, and the symbols of programs and libraries. Bytes in, values out. */
export { ElfError } from "./elf-error.ts";
export { findSymbols, type ReadFile, type SymbolPlace } from "./find-symbols.ts";
