import { ElfError } from "./elf-error.ts";

/** Where a symbol of a program or library stands. */
export interface SymbolPlace {
  /** Its address, as the file counts before it is loaded. */
  readonly address: number;
  /** Bytes from the beginning of the file to it. */
  readonly fileOffset: number;
  /** Its length in bytes; 0 where the file does not tell. */
  readonly size: number;
}

/** Reads `length` bytes at `offset` of the file; fewer at its end. */
export type ReadFile = (offset: number, length: number) => Uint8Array;

const SYMTAB = 2;
const DYNSYM = 11;
const LOAD = 1;
const FUNCTION = 2;
const INDIRECT_FUNCTION = 10;

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Finds functions in the symbol tables of an ELF64 program or library (System V gABI, "Symbol Table"): what is not there
 * is left out. Reads only the tables. Throws ElfError for a file that is no such ELF.
 */
export function findSymbols(read: ReadFile, names: ReadonlySet<string>): ReadonlyMap<string, SymbolPlace> {
  const header = read(0, 64);
  if (header.length < 64 || header[0] !== 0x7f || header[1] !== 0x45 || header[2] !== 0x4c || header[3] !== 0x46)
    throw new ElfError("It is no ELF file: it does not begin with \\x7fELF.");
  if (header[4] !== 2) throw new ElfError("It is a 32-bit ELF file, and only those of 64 bits are read.");
  const little = header[5] === 1;
  const view = viewOf(header);
  const table = (offset: number, count: number, size: number) => {
    const bytes = read(offset, count * size);
    if (bytes.length < count * size)
      throw new ElfError("A table of the ELF file lies beyond its end: it is cut short.");
    return viewOf(bytes);
  };
  const u64 = (from: DataView, at: number) => Number(from.getBigUint64(at, little));
  const segmentCount = view.getUint16(56, little);
  const segmentSize = view.getUint16(54, little);
  const segmentsView = table(u64(view, 32), segmentCount, segmentSize);
  const segments: Segment[] = [];
  for (let i = 0; i < segmentCount; i++) {
    const at = i * segmentSize;
    if (segmentsView.getUint32(at, little) !== LOAD) continue;
    segments.push({
      offset: u64(segmentsView, at + 8),
      address: u64(segmentsView, at + 16),
      size: u64(segmentsView, at + 32),
    });
  }
  const sectionCount = view.getUint16(60, little);
  const sectionSize = view.getUint16(58, little);
  const sectionsView = table(u64(view, 40), sectionCount, sectionSize);
  const sections: Section[] = [];
  for (let i = 0; i < sectionCount; i++) {
    const at = i * sectionSize;
    sections.push({
      type: sectionsView.getUint32(at + 4, little),
      offset: u64(sectionsView, at + 24),
      size: u64(sectionsView, at + 32),
      link: sectionsView.getUint32(at + 40, little),
    });
  }
  const found = new Map<string, SymbolPlace>();
  for (const section of sections) {
    if (section.type !== SYMTAB && section.type !== DYNSYM) continue;
    const strings = sections[section.link];
    if (strings === undefined) throw new ElfError("A symbol table of the ELF file has no strings.");
    searchTable(
      viewOf(read(section.offset, section.size)),
      read(strings.offset, strings.size),
      little,
      names,
      (name, address, size) => {
        const segment = segments.find((one) => address >= one.address && address < one.address + one.size);
        if (segment !== undefined && !found.has(name))
          found.set(name, { address, fileOffset: address - segment.address + segment.offset, size });
      },
    );
    if (found.size === names.size) break;
  }
  return found;
}

const SYMBOL_SIZE = 24;

function searchTable(
  symbols: DataView,
  strings: Uint8Array,
  little: boolean,
  names: ReadonlySet<string>,
  hit: (name: string, address: number, size: number) => void,
): void {
  // Names are compared as bytes by their beginning first: most symbols are none of those wanted.
  const wanted = [...names].map((name) => ({ name, bytes: new TextEncoder().encode(`${name}\0`) }));
  for (let at = 0; at + SYMBOL_SIZE <= symbols.byteLength; at += SYMBOL_SIZE) {
    const type = symbols.getUint8(at + 4) & 0x0f;
    if ((type !== FUNCTION && type !== INDIRECT_FUNCTION) || symbols.getUint16(at + 6, little) === 0) continue;
    const name = symbols.getUint32(at, little);
    for (const { name: text, bytes } of wanted) {
      if (!bytes.every((byte, i) => strings[name + i] === byte)) continue;
      hit(text, Number(symbols.getBigUint64(at + 8, little)), Number(symbols.getBigUint64(at + 16, little)));
    }
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
