import { ElfError } from "./elf-error.ts";

/** Section types (System V gABI, "Sections"). */
export const SectionType = { progbits: 1, symtab: 2, strtab: 3, rela: 4, nobits: 8, rel: 9, dynsym: 11 } as const;
/** Section flags. */
export const SectionFlag = { write: 1, alloc: 2, executable: 4 } as const;
/** Section numbers from here on stand for no section: absolute values, common symbols. */
export const RESERVED_SECTIONS = 0xff00;

const MACHINE_BPF = 247;
const RELOCATABLE = 1;
const HEADER = 64;
const SECTION_HEADER = 64;
const SYMBOL = 24;

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** Bytes it has in memory; of `nobits` sections none are in the file. */
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  /** Its bytes, shared with the file's; empty for `nobits`. */
  readonly data: Uint8Array;
}

export interface ElfSymbol {
  readonly index: number;
  readonly name: string;
  readonly value: number;
  readonly size: number;
  readonly type: "none" | "object" | "function" | "section" | "file" | "other";
  readonly binding: "local" | "global" | "weak" | "other";
  /** Not to be seen outside of the object it was linked into. */
  readonly hidden: boolean;
  /** 0 for symbols that are defined elsewhere. */
  readonly section: number;
}

export interface ElfRelocation {
  /** Bytes into the section that is changed. */
  readonly offset: number;
  readonly type: number;
  /** Index of the symbol. */
  readonly symbol: number;
}

/** An eBPF object file: ELF of 64 bits for machine 247, relocatable. */
export interface ElfObject {
  readonly byteOrder: "little" | "big";
  readonly sections: readonly ElfSection[];
  readonly symbols: readonly ElfSymbol[];
  /** What is to be changed in the section of an index, in the order of the file. Throws ElfError where that cannot be. */
  relocationsOf(section: number): readonly ElfRelocation[];
}

/** Reads an eBPF object. Throws ElfError with what is wrong and, where it is a usual mistake, what to do. */
export function parseElf(file: Uint8Array): ElfObject {
  // Not Node's own Buffer, whose slice() shares instead of copying.
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  checkIdentity(bytes);
  const little = bytes[5] === 1;
  if (bytes.length < HEADER)
    throw new ElfError(`The file has ${bytes.length} bytes, and an ELF header alone has ${HEADER}: it is cut short.`);
  const machine = view.getUint16(18, little);
  if (machine !== MACHINE_BPF) {
    throw new ElfError(
      `The file is for machine ${machine}${MACHINES[machine] === undefined ? "" : ` (${MACHINES[machine]})`} and no eBPF object (${MACHINE_BPF}): compile it with clang -target bpf.`,
    );
  }
  const fileType = view.getUint16(16, little);
  if (fileType !== RELOCATABLE)
    throw new ElfError(`The file is of ELF type ${fileType} and not relocatable (1): compile with -c.`);
  const headers = readSectionHeaders(view, little);
  const names = stringsOf(headers[sectionNames(view, little, headers)], bytes);
  const sections = headers.map((header, index): ElfSection => {
    const name = textAt(names, header.name, `section ${index}`);
    const { type, flags, size, link, info, align } = header;
    return { index, name, type, flags, size, link, info, align, data: dataOf(header, name, bytes) };
  });
  const tables = sections.filter(({ type }) => type === SectionType.symtab);
  if (tables.length > 1) throw new ElfError("The file has more than one symbol table.");
  const symbols = tables[0] === undefined ? [] : readSymbols(tables[0], sections, little);
  const changes = new Map<number, ElfSection[]>();
  for (const section of sections) {
    if (section.type !== SectionType.rel && section.type !== SectionType.rela) continue;
    const target = sections[section.info];
    if (target === undefined || section.info === 0)
      throw new ElfError(`Section ${section.name} changes section ${section.info}, which there is not.`);
    changes.set(section.info, [...(changes.get(section.info) ?? []), section]);
  }
  // Most are of sections that nobody asks for: debug information, the types.
  const relocations = new Map<number, readonly ElfRelocation[]>();
  const relocationsOf = (index: number): readonly ElfRelocation[] => {
    let found = relocations.get(index);
    if (found === undefined) {
      const target = sections[index] as ElfSection;
      found = (changes.get(index) ?? []).flatMap((section) => readRelocations(section, symbols.length, target, little));
      relocations.set(index, found);
    }
    return found;
  };
  return { byteOrder: little ? "little" : "big", sections, symbols, relocationsOf };
}

const MACHINES: Readonly<Record<number, string>> = { 3: "x86", 40: "ARM", 62: "x86-64", 183: "AArch64", 243: "RISC-V" };

function checkIdentity(bytes: Uint8Array): void {
  const begins = (...magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (!begins(0x7f, 0x45, 0x4c, 0x46)) {
    const what = begins(0x1f, 0x8b)
      ? "a gzip archive: unpack it first"
      : begins(0x28, 0xb5, 0x2f, 0xfd)
        ? "packed with zstd: unpack it first"
        : begins(0x42, 0x43, 0xc0, 0xde)
          ? "LLVM bitcode: finish the compilation with llc -march=bpf -filetype=obj, or leave -emit-llvm away"
          : begins(0x21, 0x3c, 0x61, 0x72)
            ? "an archive of objects (ar): take the object out of it"
            : "something else";
    throw new ElfError(`The bytes are no ELF file but ${what}.`);
  }
  if (bytes[4] !== 2) throw new ElfError("The file is an ELF file of 32 bits, and eBPF objects have 64.");
  if (bytes[5] !== 1 && bytes[5] !== 2)
    throw new ElfError(`The file's byte order is ${bytes[5]}, which is neither little (1) nor big (2).`);
}

interface Header {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
}

function readSectionHeaders(view: DataView, little: boolean): readonly Header[] {
  const offset = Number(view.getBigUint64(40, little));
  const size = view.getUint16(58, little);
  let count = view.getUint16(60, little);
  if (offset === 0) return [];
  if (size !== SECTION_HEADER)
    throw new ElfError(`The file's section headers have ${size} bytes instead of ${SECTION_HEADER}.`);
  // More than 65,279 sections: the number stands in the first header.
  if (count === 0 && offset + SECTION_HEADER <= view.byteLength) count = Number(view.getBigUint64(offset + 32, little));
  if (!Number.isSafeInteger(offset) || offset + count * SECTION_HEADER > view.byteLength)
    throw new ElfError(`The ${count} section headers lie beyond the end of the file: it is cut short.`);
  const headers: Header[] = [];
  for (let i = 0; i < count; i++) {
    const at = offset + i * SECTION_HEADER;
    headers.push({
      name: view.getUint32(at, little),
      type: view.getUint32(at + 4, little),
      flags: Number(view.getBigUint64(at + 8, little)),
      offset: Number(view.getBigUint64(at + 24, little)),
      size: Number(view.getBigUint64(at + 32, little)),
      link: view.getUint32(at + 40, little),
      info: view.getUint32(at + 44, little),
      align: Number(view.getBigUint64(at + 48, little)),
    });
  }
  return headers;
}

/** Which section has the sections' names. */
function sectionNames(view: DataView, little: boolean, headers: readonly Header[]): number {
  const index = view.getUint16(62, little);
  return index === 0xffff ? (headers[0]?.link ?? 0) : index;
}

function stringsOf(header: Header | undefined, bytes: Uint8Array): Uint8Array {
  return header === undefined ? new Uint8Array(0) : dataOf(header, "with the names", bytes);
}

/** What memory of a section may be at most: what is in the file, and of `nobits` what a kernel map could hold. */
const MAX_NOBITS = 2 ** 32 - 1;

function dataOf({ type, offset, size }: Header, name: string, bytes: Uint8Array): Uint8Array {
  if (type === 0) return bytes.subarray(0, 0);
  if (type === SectionType.nobits) {
    if (size > MAX_NOBITS) throw new ElfError(`Section ${name} would have ${size} bytes, more than 4 GiB.`);
    return bytes.subarray(0, 0);
  }
  if (!Number.isSafeInteger(offset) || !Number.isSafeInteger(size) || offset + size > bytes.length)
    throw new ElfError(
      `Section ${name} (bytes ${offset} to ${offset + size}) lies beyond the end of the file, which has ${bytes.length}: it is cut short.`,
    );
  return bytes.subarray(offset, offset + size);
}

const decoder = new TextDecoder();

/** The NUL-terminated text at an offset of a string table. */
function textAt(table: Uint8Array, offset: number, what: string): string {
  checkText(table, offset, () => what);
  const end = table.indexOf(0, offset);
  return offset >= end ? "" : decoder.decode(table.subarray(offset, end));
}

function checkText(table: Uint8Array, offset: number, what: () => string): void {
  if (offset === 0 && table.length === 0) return;
  // A table whose last byte is no NUL may have its last text cut off.
  if (offset >= table.length || (table[table.length - 1] !== 0 && table.indexOf(0, offset) < 0))
    throw new ElfError(`The name of ${what()} lies beyond its string table.`);
}

const TYPES = ["none", "object", "function", "section", "file"] as const;
const BINDINGS = ["local", "global", "weak"] as const;

/** Of many symbols nobody asks for the name: it is read when somebody does. */
class LazySymbol implements ElfSymbol {
  readonly index: number;
  readonly type: ElfSymbol["type"];
  readonly binding: ElfSymbol["binding"];
  readonly hidden: boolean;
  readonly section: number;
  readonly value: number;
  readonly size: number;
  readonly #strings: Uint8Array;
  readonly #offset: number;
  #name: string | undefined;

  constructor(view: DataView, at: number, strings: Uint8Array, little: boolean) {
    const info = view.getUint8(at + 4);
    const visibility = view.getUint8(at + 5) & 3;
    this.index = at / SYMBOL;
    this.type = TYPES[info & 15] ?? "other";
    this.binding = BINDINGS[info >>> 4] ?? "other";
    this.hidden = visibility === 1 || visibility === 2;
    this.section = view.getUint16(at + 6, little);
    this.value = number64(view, at + 8, little);
    this.size = number64(view, at + 16, little);
    this.#strings = strings;
    this.#offset = view.getUint32(at, little);
    checkText(strings, this.#offset, () => `symbol ${this.index}`);
  }

  get name(): string {
    this.#name ??= textAt(this.#strings, this.#offset, `symbol ${this.index}`);
    return this.#name;
  }
}

function readSymbols(table: ElfSection, sections: readonly ElfSection[], little: boolean): readonly ElfSymbol[] {
  const strings = sections[table.link];
  if (strings === undefined) throw new ElfError("The symbol table has no strings.");
  const { data } = table;
  if (data.length % SYMBOL !== 0)
    throw new ElfError(`The symbol table has ${data.length} bytes, no multiple of ${SYMBOL}.`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at < data.length; at += SYMBOL) symbols.push(new LazySymbol(view, at, strings.data, little));
  return symbols;
}

/** 64 bits as a number: rounded from 2^53 on, where nothing of a file can be. */
function number64(view: DataView, at: number, little: boolean): number {
  return view.getUint32(little ? at : at + 4, little) + view.getUint32(little ? at + 4 : at, little) * 2 ** 32;
}

function readRelocations(section: ElfSection, symbols: number, target: ElfSection, little: boolean): ElfRelocation[] {
  // Elf64_Rela has a number to add besides, which eBPF objects have in their instructions.
  const size = section.type === SectionType.rela ? 24 : 16;
  const { data } = section;
  if (data.length % size !== 0)
    throw new ElfError(`Section ${section.name} has ${data.length} bytes, no multiple of ${size}.`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [high, low] = little ? [12, 8] : [8, 12];
  const relocations: ElfRelocation[] = [];
  for (let at = 0; at < data.length; at += size) {
    const offset = number64(view, at, little);
    const symbol = view.getUint32(at + high, little);
    if (symbol >= symbols)
      throw new ElfError(`Section ${section.name} refers to symbol ${symbol}, and there are ${symbols}.`);
    if (offset >= target.size)
      throw new ElfError(`Section ${section.name} changes byte ${offset} of ${target.name}, which has ${target.size}.`);
    relocations.push({ offset, type: view.getUint32(at + low, little), symbol });
  }
  return relocations;
}
