import { BtfError } from "./btf-error.ts";
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

const MAGIC = 0xeb9f;

/**
 * Reads `.BTF.ext` (Documentation/bpf/btf.rst, section 4.2). `text` reads the strings of the object's `.BTF`. Records that
 * are longer than known are read as far as they are known. Throws BtfError.
 */
export function readExtInfo(bytes: Uint8Array, text: (offset: number) => string): ExtInfo {
  if (bytes.length < 24) throw new BtfError(`The .BTF.ext section has ${bytes.length} bytes: its header alone has 24.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0, true) === MAGIC;
  if (!little && view.getUint16(0, false) !== MAGIC)
    throw new BtfError("The .BTF.ext section does not begin as it must.");
  const header = view.getUint32(4, little);
  if (header < 24 || header > bytes.length)
    throw new BtfError(`The header of .BTF.ext says that it has ${header} bytes.`);
  const u32 = (at: number) => view.getUint32(at, little);

  const read = <T>(
    field: number,
    least: number,
    what: string,
    one: (at: number) => T,
  ): ReadonlyMap<string, readonly T[]> => {
    const found = new Map<string, T[]>();
    if (field + 8 > header) return found;
    const start = header + u32(field);
    const end = start + u32(field + 4);
    if (start === end) return found;
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
      const records = found.get(section) ?? [];
      for (let i = 0; i < count; i++, at += size) records.push(one(at));
      found.set(section, records);
    }
    return found;
  };

  return {
    functions: read(8, 8, "functions", (at) => ({ offset: u32(at), type: u32(at + 4) })),
    lines: read(16, 16, "lines", (at) => {
      const place = u32(at + 12);
      return {
        offset: u32(at),
        file: text(u32(at + 4)),
        text: text(u32(at + 8)),
        line: place >>> 10,
        column: place & 0x3ff,
      };
    }),
    relocations: read(24, 16, "relocations", (at) => {
      const number = u32(at + 12);
      const kind = KINDS[number];
      if (kind === undefined) {
        throw new BtfError(
          `A CO-RE relocation is of kind ${number}, and those up to ${KINDS.length - 1} are known: the object is newer than this version of Skep, or damaged.`,
        );
      }
      return { offset: u32(at), kind, type: u32(at + 4), access: text(u32(at + 8)) };
    }),
  };
}
