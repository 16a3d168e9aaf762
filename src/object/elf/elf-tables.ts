import { ElfError } from "./elf-error.ts";

/** Reads `length` bytes at `offset` of the file; fewer at its end. */
export type ReadFile = (offset: number, length: number) => Uint8Array;

/** Machines whose programs are looked into (System V gABI, `e_machine`). */
export const ElfMachine = { i386: 3, x64: 62, arm64: 183 } as const;

/** A part of the file that is loaded (`PT_LOAD`). */
export interface ElfSegment {
  readonly offset: number;
  readonly address: number;
  /** Bytes it has in the file. */
  readonly size: number;
  readonly executable: boolean;
}

/** A section's header; what it holds is not read. */
export interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

/** Where things are in a program or library, of 32 or 64 bits and any byte order. */
export interface ElfTables {
  readonly bits: 32 | 64;
  readonly little: boolean;
  readonly machine: number;
  /** Whether it is loaded wherever there is room: a library, or a program that is position-independent. */
  readonly movable: boolean;
  readonly segments: readonly ElfSegment[];
  readonly sections: readonly SectionHeader[];
}

const HEADER = 64;
const SHARED = 3;
const LOAD = 1;
const EXECUTABLE = 1;

/** Places of fields in the headers of either class. */
const FIELDS = {
  32: { headers: [28, 32, 42, 44, 46, 48, 50], segment: [4, 8, 16, 24], section: [12, 16, 20, 24], word: 4 },
  64: { headers: [32, 40, 54, 56, 58, 60, 62], segment: [8, 16, 32, 4], section: [16, 24, 32, 40], word: 8 },
} as const;

/**
 * Reads the headers of an ELF program or library (System V gABI, "ELF Header", "Program Header", "Sections"). Reads only the
 * tables. Throws ElfError for a file that is none, or is cut short.
 */
export function readTables(read: ReadFile): ElfTables {
  const header = read(0, HEADER);
  if (header.length < 52 || header[0] !== 0x7f || header[1] !== 0x45 || header[2] !== 0x4c || header[3] !== 0x46)
    throw new ElfError("It is no ELF file: it does not begin with \\x7fELF.");
  if (header[4] !== 1 && header[4] !== 2)
    throw new ElfError(`It is an ELF file of class ${header[4]}, neither of 32 bits (1) nor of 64 (2).`);
  if (header[5] !== 1 && header[5] !== 2)
    throw new ElfError(`The file's byte order is ${header[5]}, which is neither little (1) nor big (2).`);
  const bits = header[4] === 1 ? 32 : 64;
  if (bits === 64 && header.length < HEADER) throw new ElfError("The ELF file is cut short in its header.");
  const little = header[5] === 1;
  const { headers, segment, section, word: size } = FIELDS[bits];
  const word = wordReader(size, little);
  const view = viewOf(header);
  const half = (at: number) => view.getUint16(at, little);
  const table = (offset: number, count: number, entry: number, least: number) => {
    if (count > 0 && entry < least)
      throw new ElfError(`The entries of a table of the ELF file have ${entry} bytes, and there must be ${least}.`);
    const bytes = read(offset, count * entry);
    if (bytes.length < count * entry)
      throw new ElfError("A table of the ELF file lies beyond its end: it is cut short.");
    return viewOf(bytes);
  };
  const [segmentsAt, sectionsAt, segmentSize, segmentCount, sectionSize, sectionCount, namesAt] = headers;
  const [segmentEntry, sectionEntry] = bits === 32 ? [32, 40] : [56, 64];
  const segmentsView = table(word(view, segmentsAt), half(segmentCount), half(segmentSize), segmentEntry);
  const segments: ElfSegment[] = [];
  for (let at = 0; at < segmentsView.byteLength; at += half(segmentSize)) {
    if (segmentsView.getUint32(at, little) !== LOAD) continue;
    const [offset, address, length, flags] = segment;
    segments.push({
      offset: word(segmentsView, at + offset),
      address: word(segmentsView, at + address),
      size: word(segmentsView, at + length),
      executable: (segmentsView.getUint32(at + flags, little) & EXECUTABLE) !== 0,
    });
  }
  const [addressAt, offsetAt, sizeAt, linkAt] = section;
  // Sections may have been stripped: then there is no table, wherever the header says that it is.
  const count = word(view, sectionsAt) === 0 ? 0 : half(sectionCount);
  const sectionsView = table(word(view, sectionsAt), count, half(sectionSize), sectionEntry);
  const unnamed: (Omit<SectionHeader, "name"> & { readonly name: number })[] = [];
  for (let at = 0; at < sectionsView.byteLength; at += half(sectionSize)) {
    unnamed.push({
      name: sectionsView.getUint32(at, little),
      type: sectionsView.getUint32(at + 4, little),
      address: word(sectionsView, at + addressAt),
      offset: word(sectionsView, at + offsetAt),
      size: word(sectionsView, at + sizeAt),
      link: sectionsView.getUint32(at + linkAt, little),
    });
  }
  const names = unnamed[half(namesAt)];
  const strings = names === undefined ? new Uint8Array(0) : read(names.offset, names.size);
  const sections = unnamed.map((one): SectionHeader => ({ ...one, name: cString(strings, one.name) }));
  return { bits, little, machine: half(18), movable: half(16) === SHARED, segments, sections };
}

/** Bytes from the beginning of the file to an address; undefined where no segment of the file has it. */
export function fileOffsetOf({ segments }: Pick<ElfTables, "segments">, address: number): number | undefined {
  const segment = segments.find((one) => address >= one.address && address < one.address + one.size);
  return segment === undefined ? undefined : address - segment.address + segment.offset;
}

/** The NUL-terminated text at an offset; to the end where there is no NUL. */
export function cString(bytes: Uint8Array, at: number): string {
  const end = bytes.indexOf(0, at);
  return at >= bytes.length ? "" : DECODER.decode(bytes.subarray(at, end < 0 ? bytes.length : end));
}

const DECODER = new TextDecoder();

/** Reads an address or offset of the file's class. */
export function wordReader(size: 4 | 8, little: boolean): (view: DataView, at: number) => number {
  return size === 4 ? (view, at) => view.getUint32(at, little) : (view, at) => Number(view.getBigUint64(at, little));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
