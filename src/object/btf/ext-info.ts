import { BtfError } from "./btf-error.ts";
import { MACHINE_ORDER } from "./byte-order.ts";
import type { RelocationKind } from "./core/relocation.ts";

/** Kinds of CO-RE relocation in the order of their numbers (linux/bpf.h, enum bpf_core_relo_kind). */
const KINDS: readonly RelocationKind[] = [
  "fieldByteOffset",
  "fieldByteSize",
  "fieldExists",
  "fieldSigned",
  "fieldLeftShift",
  "fieldRightShift",
  "typeIdLocal",
  "typeIdTarget",
  "typeExists",
  "typeSize",
  "enumValueExists",
  "enumValue",
  "typeMatches",
];

/** Which function begins at an offset of a section. */
export interface FunctionRecord {
  /** Bytes into the section. */
  readonly offset: number;
  /** Id of a `function`. */
  readonly type: number;
}

/** Which source line the instructions from `offset` (bytes into the section) on are of; lines count from 1. */
export interface LineRecord {
  readonly offset: number;
  readonly file: string;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

/** Words of a record in `ExtWords.functions`: bytes into the section, id of a `function`. */
export const FUNCTION_WORDS = 2;

/**
 * Words of a record in `ExtWords.lines`: bytes into the section from which on instructions are of that line; the file and the
 * line's text, as offsets in the strings of the object's types; line << 10 | column.
 */
export const LINE_WORDS = 4;

/** A CO-RE relocation of the instruction at `offset` (bytes into the section); the rest as in `Relocation`. */
export interface RelocationRecord {
  readonly offset: number;
  readonly kind: RelocationKind;
  readonly type: number;
  readonly access: string;
}

/** What `.BTF.ext` tells of the sections with instructions, by their names. */
export interface ExtInfo {
  readonly functions: ReadonlyMap<string, readonly FunctionRecord[]>;
  readonly lines: ReadonlyMap<string, readonly LineRecord[]>;
  readonly relocations: ReadonlyMap<string, readonly RelocationRecord[]>;
}

/** The same with functions and lines as they stand there, in this machine's byte order, for who gives them to the kernel. */
export interface ExtWords {
  readonly functions: ReadonlyMap<string, Uint32Array>;
  readonly lines: ReadonlyMap<string, Uint32Array>;
  readonly relocations: ReadonlyMap<string, readonly RelocationRecord[]>;
}

const MAGIC = 0xeb9f;

/**
 * Reads `.BTF.ext` (Documentation/bpf/btf.rst, section 4.2). `text` reads the strings of the object's `.BTF`. Records that
 * are longer than known are read as far as they are known. Throws BtfError, and what `text` throws for an offset of no string.
 */
export function readExtInfo(bytes: Uint8Array, text: (offset: number) => string): ExtInfo {
  const { functions, lines, relocations } = readExtWords(bytes, text);
  return {
    functions: eachRecord(functions, FUNCTION_WORDS, ([offset = 0, type = 0]): FunctionRecord => ({ offset, type })),
    lines: eachRecord(
      lines,
      LINE_WORDS,
      ([offset = 0, file = 0, line = 0, place = 0]): LineRecord => ({
        offset,
        file: text(file),
        text: text(line),
        line: place >>> 10,
        column: place & 0x3ff,
      }),
    ),
    relocations,
  };
}

function eachRecord<T>(
  sections: ReadonlyMap<string, Uint32Array>,
  width: number,
  one: (words: Uint32Array) => T,
): ReadonlyMap<string, readonly T[]> {
  return new Map(
    Array.from(sections, ([section, words]) => [
      section,
      Array.from({ length: words.length / width }, (_, i) => one(words.subarray(i * width, (i + 1) * width))),
    ]),
  );
}

/** `readExtInfo` without making an object of each function and line; that their texts are there is checked. Throws BtfError. */
export function readExtWords(bytes: Uint8Array, text: (offset: number) => string): ExtWords {
  if (bytes.length < 24) throw new BtfError(`The .BTF.ext section has ${bytes.length} bytes: its header alone has 24.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0, true) === MAGIC;
  if (!little && view.getUint16(0, false) !== MAGIC)
    throw new BtfError("The .BTF.ext section does not begin as it must.");
  const header = view.getUint32(4, little);
  if (header < 24 || header > bytes.length)
    throw new BtfError(`The header of .BTF.ext says that it has ${header} bytes.`);
  const u32 = (at: number) => view.getUint32(at, little);

  /** Tells `each` of the records of every section: how many, where the first one is, and how far it is to the next. */
  const read = (
    field: number,
    least: number,
    what: string,
    each: (section: string, count: number, at: number, size: number) => void,
  ): void => {
    if (field + 8 > header) return;
    const start = header + u32(field);
    const end = start + u32(field + 4);
    if (start === end) return;
    if (end > bytes.length || start + 4 > end)
      throw new BtfError(`The ${what} of .BTF.ext lie beyond its end: it is cut short.`);
    const size = u32(start);
    if (size < least || size % 4 !== 0)
      throw new BtfError(`The ${what} of .BTF.ext have ${size} bytes each; they must have ${least} or more.`);
    for (let at = start + 4; at < end; ) {
      if (at + 8 > end) throw new BtfError(`The ${what} of .BTF.ext are cut short.`);
      const section = text(u32(at));
      const count = u32(at + 4);
      at += 8;
      if (count === 0 || at + count * size > end)
        throw new BtfError(`The ${what} of .BTF.ext for section ${section} are cut short: ${count} are announced.`);
      each(section, count, at, size);
      at += count * size;
    }
  };

  const words = (field: number, width: number, what: string): Map<string, Uint32Array> => {
    const found = new Map<string, Uint32Array[]>();
    read(field, width * 4, what, (section, count, at, size) => {
      const records = new Uint32Array(count * width);
      if (size === width * 4 && (MACHINE_ORDER === "little") === little)
        new Uint8Array(records.buffer).set(bytes.subarray(at, at + records.byteLength));
      else
        for (let i = 0, from = at; i < records.length; i += width, from += size)
          for (let word = 0; word < width; word++) records[i + word] = view.getUint32(from + word * 4, little);
      const blocks = found.get(section);
      if (blocks === undefined) found.set(section, [records]);
      else blocks.push(records);
    });
    return new Map(Array.from(found, ([section, blocks]) => [section, joined(blocks)]));
  };

  const functions = words(8, FUNCTION_WORDS, "functions");
  const lines = words(16, LINE_WORDS, "lines");
  for (const records of lines.values()) checkTexts(records, text);
  const relocations = new Map<string, RelocationRecord[]>();
  read(24, 16, "relocations", (section, count, at, size) => {
    const records = relocations.get(section) ?? [];
    for (let i = 0, from = at; i < count; i++, from += size) {
      const number = u32(from + 12);
      const kind = KINDS[number];
      if (kind === undefined) {
        throw new BtfError(
          `A CO-RE relocation is of kind ${number}, and those up to ${KINDS.length - 1} are known: the object is newer than this version of Skep, or damaged.`,
        );
      }
      records.push({ offset: u32(from), kind, type: u32(from + 4), access: text(u32(from + 8)) });
    }
    relocations.set(section, records);
  });
  return { functions, lines, relocations };
}

/** That the files and lines are there. Many are of the same file, or the same line inlined in many places. */
function checkTexts(lines: Uint32Array, text: (offset: number) => string): void {
  const known = new Set<number>();
  let before = -1;
  for (let i = 0; i < lines.length; i += LINE_WORDS) {
    const file = lines[i + 1] as number;
    const line = lines[i + 2] as number;
    if (file !== before) text(file);
    before = file;
    if (known.has(line)) continue;
    text(line);
    known.add(line);
  }
}

function joined(blocks: readonly Uint32Array[]): Uint32Array {
  // Compilers write one for each section.
  if (blocks.length === 1) return blocks[0] as Uint32Array;
  const all = new Uint32Array(blocks.reduce((sum, { length }) => sum + length, 0));
  let end = 0;
  for (const block of blocks) {
    all.set(block, end);
    end += block.length;
  }
  return all;
}
