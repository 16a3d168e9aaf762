import { SectionType } from "./elf.ts";
import { ElfError } from "./elf-error.ts";
import { cString, type ElfTables, fileOffsetOf, type ReadFile, readTables, viewOf, wordReader } from "./elf-tables.ts";

/** Where a symbol of a program or library stands. */
export interface SymbolPlace {
  /** Its address, as the file counts before it is loaded. */
  readonly address: number;
  /** Bytes from the beginning of the file to it. */
  readonly fileOffset: number;
  /** Its length in bytes; 0 where the file does not tell. */
  readonly size: number;
}

const FUNCTION = 2;
const INDIRECT_FUNCTION = 10;

/** Sizes of a symbol and places of its fields, for either class (System V gABI, "Symbol Table"). */
const SYMBOL = {
  32: { size: 16, info: 12, section: 14, value: 4, length: 8, word: 4 },
  64: { size: 24, info: 4, section: 6, value: 8, length: 16, word: 8 },
} as const;

/**
 * Finds functions in the symbol tables of an ELF program or library: what is not there is left out. Reads only the tables.
 * `loaded` is the file that is run, where `read` reads the symbols that were stripped of it. Throws ElfError for a file that
 * is no such ELF.
 */
export function findSymbols(
  read: ReadFile,
  names: ReadonlySet<string>,
  loaded?: ElfTables,
): ReadonlyMap<string, SymbolPlace> {
  // Names are compared as bytes by their beginning first: most symbols are none of those wanted.
  const wanted = [...names].map((name) => ({ name, bytes: new TextEncoder().encode(`${name}\0`) }));
  const nameAt = (strings: Uint8Array, at: number) =>
    wanted.find(({ bytes }) => bytes.every((byte, i) => strings[at + i] === byte))?.name;
  return search(read, nameAt, { most: names.size, loaded });
}

/** All functions of the file whose name fits, each once, in the order of the tables. Throws ElfError. */
export function matchSymbols(read: ReadFile, fits: (name: string) => boolean): ReadonlyMap<string, SymbolPlace> {
  return search(read, (strings, at) => {
    const name = cString(strings, at);
    return fits(name) ? name : undefined;
  });
}

/** Functions by the names that `nameAt` gives, undefined for those that are not wanted; ends when it has `most` of them. */
function search(
  read: ReadFile,
  nameAt: (strings: Uint8Array, at: number) => string | undefined,
  { most, loaded }: { readonly most?: number; readonly loaded?: ElfTables | undefined } = {},
): ReadonlyMap<string, SymbolPlace> {
  const found = new Map<string, SymbolPlace>();
  const tables = readTables(read);
  for (const table of symbolTables(tables, read)) {
    eachFunction(tables, table, (at, place) => {
      const name = nameAt(table.strings, at);
      if (name === undefined || found.has(name)) return;
      const symbol = place(loaded ?? tables);
      if (symbol !== undefined) found.set(name, symbol);
    });
    if (found.size === most) break;
  }
  return found;
}

interface SymbolTable {
  readonly symbols: DataView;
  readonly strings: Uint8Array;
}

function* symbolTables({ sections }: ElfTables, read: ReadFile): IterableIterator<SymbolTable> {
  for (const { type, offset, size, link } of sections) {
    if (type !== SectionType.symtab && type !== SectionType.dynsym) continue;
    const strings = sections[link];
    if (strings === undefined) throw new ElfError("A symbol table of the ELF file has no strings.");
    yield { symbols: viewOf(read(offset, size)), strings: read(strings.offset, strings.size) };
  }
}

/** Calls `hit` with the place of each defined function's name, and what gives its own place in the file that is loaded. */
function eachFunction(
  tables: ElfTables,
  { symbols }: SymbolTable,
  hit: (name: number, place: (loaded: ElfTables) => SymbolPlace | undefined) => void,
): void {
  const { bits, little } = tables;
  const { size, info, section, value, length, word: wordSize } = SYMBOL[bits];
  const word = wordReader(wordSize, little);
  for (let at = 0; at + size <= symbols.byteLength; at += size) {
    const type = symbols.getUint8(at + info) & 0x0f;
    if ((type !== FUNCTION && type !== INDIRECT_FUNCTION) || symbols.getUint16(at + section, little) === 0) continue;
    hit(symbols.getUint32(at, little), (loaded) => {
      const address = word(symbols, at + value);
      const fileOffset = fileOffsetOf(loaded, address);
      return fileOffset === undefined ? undefined : { address, fileOffset, size: word(symbols, at + length) };
    });
  }
}
