import { BtfError } from "./btf-error.ts";
import { decodeType } from "./decode-type.ts";
import { essentialName } from "./essential-name.ts";
import { type BtfHeader, readHeader } from "./header.ts";
import { KIND_NAMES, kindSize } from "./kind.ts";
import type { BtfKind, BtfType } from "./type.ts";

const VOID: BtfType = { kind: "void", name: "" };
/** How many typedefs and qualifiers may stand before a type; more is taken for a loop. */
const MAX_CHAIN = 64;
/** Names are far shorter (the kernel takes 511 bytes); without a limit many names inside one long text take all memory. */
const MAX_NAME = 4096;
const MAX_TEXT = 65_536;
const MAX_CACHED = 512;
/** Types of an object are this few; those of a kernel are more, and come from tools that keep each text once. */
const SMALL = 20_000;
const decoder = new TextDecoder();

export interface BtfOptions {
  /** What split BTF (a module's) goes on from: its ids and names count from the base's end. */
  readonly base?: Btf;
}

/**
 * The types of an object, a kernel or a module (Documentation/bpf/btf.rst). Immutable. Reading looks at the header only;
 * the first question indexes the types in one pass over their headers, and a type is decoded when it is first asked for:
 * one structure of a kernel with 150,000 types costs milliseconds.
 */
export class Btf {
  /** The bytes it was read from. */
  readonly bytes: Uint8Array;
  readonly byteOrder: "little" | "big";
  /** For split BTF: what its ids and names go on from. */
  readonly base: Btf | undefined;
  /** Its own types have the ids from `firstId` (1, or the base's `endId`) to before `endId`. */
  readonly firstId: number;
  readonly #header: BtfHeader;
  readonly #view: DataView;
  readonly #types = new Map<number, BtfType>();
  readonly #names = new Map<number, string>();
  /** Where each own type begins in `bytes`; the kinds stand beside. */
  #offsets: Uint32Array | undefined;
  #candidates: Map<string, number[]> | undefined;
  #byName: Map<number, readonly number[]> | undefined;

  private constructor(bytes: Uint8Array, header: BtfHeader, base: Btf | undefined) {
    this.bytes = bytes;
    this.byteOrder = header.little ? "little" : "big";
    this.base = base;
    this.firstId = base?.endId ?? 1;
    this.#header = header;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Reads BTF of either byte order. Throws BtfError for bytes that are none or are cut short. */
  static parse(bytes: Uint8Array, options: BtfOptions = {}): Btf {
    return new Btf(bytes, readHeader(bytes), options.base);
  }

  get endId(): number {
    return this.firstId + this.#index().length;
  }

  /** Where the strings of its base end and its own begin. */
  get stringsStart(): number {
    return this.base === undefined ? 0 : this.base.stringsEnd;
  }

  /** The end of its strings, counted from the beginning of the base's. */
  get stringsEnd(): number {
    return this.stringsStart + this.#header.stringsEnd - this.#header.strings;
  }

  /** The type of an id, of the base's too; id 0 is void. Throws BtfError for an id that there is not. */
  type(id: number): BtfType {
    if (id === 0) return VOID;
    if (id < this.firstId && this.base !== undefined) return this.base.type(id);
    let type = this.#types.get(id);
    if (type === undefined) {
      const at = this.#index()[id - this.firstId];
      if (at === undefined) throw new BtfError(`There is no type ${id}: the ids are 1 to ${this.endId - 1}.`);
      type = decodeType(this.#view, at, this.#header.little, (offset) => this.text(offset, MAX_NAME));
      this.#types.set(id, type);
    }
    return type;
  }

  /** The kind alone, without decoding the type. */
  kind(id: number): BtfKind {
    if (id === 0) return "void";
    if (id < this.firstId && this.base !== undefined) return this.base.kind(id);
    const at = this.#index()[id - this.firstId];
    if (at === undefined) throw new BtfError(`There is no type ${id}: the ids are 1 to ${this.endId - 1}.`);
    return KIND_NAMES[(this.#view.getUint32(at + 4, this.#header.little) >>> 24) & 0x1f] as BtfKind;
  }

  /**
   * The string at an offset of the string table, of at most `limit` bytes. Throws BtfError for an offset outside of it, or a
   * longer string.
   */
  text(offset: number, limit: number = MAX_TEXT): string {
    if (offset === 0) return "";
    const start = this.stringsStart;
    if (offset < start && this.base !== undefined) return this.base.text(offset, limit);
    let text = this.#names.get(offset);
    if (text === undefined) {
      const { strings, stringsEnd } = this.#header;
      const at = strings + offset - start;
      if (at >= stringsEnd)
        throw new BtfError(`A name is at ${offset} of the strings, which end at ${this.stringsEnd}.`);
      // The table ends with a NUL, so there is one.
      const end = this.bytes.indexOf(0, at);
      if (end - at > limit)
        throw new BtfError(
          `The text at ${offset} of the strings has ${end - at} bytes: more than ${limit} are no name.`,
        );
      text = decoder.decode(this.bytes.subarray(at, end));
      if (end - at <= MAX_CACHED) this.#names.set(offset, text);
    }
    return text;
  }

  /** The id of the first type of that name (and kind), the base's before its own; undefined when there is none. */
  find(name: string, kind?: BtfKind): number | undefined {
    return this.base?.find(name, kind) ?? this.#own(name, kind, true)[0];
  }

  /** All ids of that name (and kind), the base's first. */
  findAll(name: string, kind?: BtfKind): readonly number[] {
    return [...(this.base?.findAll(name, kind) ?? []), ...this.#own(name, kind, false)];
  }

  /**
   * Ids of all types whose name is `name` but for a flavour (`task_struct___old`), the base's first: what CO-RE compares
   * with. The first call indexes all names.
   */
  candidates(name: string): readonly number[] {
    const own = this.#candidateIndex().get(name) ?? [];
    return this.base === undefined ? own : [...this.base.candidates(name), ...own];
  }

  /** The id behind typedefs, const, volatile, restrict and type tags. Throws BtfError where they go in a circle. */
  resolve(id: number): number {
    let at = id;
    for (let steps = 0; steps < MAX_CHAIN; steps++) {
      const type = this.type(at);
      switch (type.kind) {
        case "typedef":
        case "const":
        case "volatile":
        case "restrict":
        case "typeTag":
          at = type.type;
          break;
        default:
          return at;
      }
    }
    throw new BtfError(`Type ${id} is a name for itself: its typedefs and qualifiers go in a circle.`);
  }

  /** Bytes a value of the type takes. Throws BtfError for void, functions and forward declarations. */
  sizeOf(id: number): number {
    let length = 1;
    let at = id;
    for (let steps = 0; steps < MAX_CHAIN; steps++) {
      at = this.resolve(at);
      const type = this.type(at);
      switch (type.kind) {
        case "int":
        case "struct":
        case "union":
        case "enum":
        case "enum64":
        case "float":
        case "section":
          return checkSize(type.size * length, id);
        case "pointer":
          return checkSize(this.#pointerSize * length, id);
        case "array":
          length *= type.length;
          at = type.element;
          break;
        case "variable":
          at = type.type;
          break;
        default:
          throw new BtfError(
            `Type ${id} has no size: it is or holds ${type.kind === "void" ? "void" : `a ${type.kind}`}.`,
          );
      }
    }
    throw new BtfError(`Type ${id} has no size: it holds itself.`);
  }

  /** eBPF's own, whatever the machine: objects are for a machine of 64 bits. */
  get #pointerSize(): 8 {
    return 8;
  }

  #own(name: string, kind: BtfKind | undefined, firstOnly: boolean): readonly number[] {
    if (name === "") return [];
    const offsets = this.#index();
    // Small tables may hold a text twice, or one as the end of another: all names are looked at.
    if (offsets.length <= SMALL) {
      const all = this.#candidateIndex().get(essentialName(name)) ?? [];
      return all.filter((id) => this.type(id).name === name && (kind === undefined || this.kind(id) === kind));
    }
    const offset = this.#offsetOf(name);
    if (offset === undefined) return [];
    const ids = this.#idsByName(offset, firstOnly && kind === undefined);
    return kind === undefined ? ids : ids.filter((id) => this.kind(id) === kind);
  }

  /** Where a name stands: every string is stored once, with a NUL before and after it. */
  #offsetOf(name: string): number | undefined {
    const { strings, stringsEnd } = this.#header;
    const start = this.stringsStart;
    const inBase = this.base?.offsetOf(name);
    if (inBase !== undefined) return inBase;
    const at = indexOfText(this.bytes.subarray(strings, stringsEnd), name, start > 0);
    return at < 0 ? undefined : start + at;
  }

  /** Offset of a text in the string table; undefined when it is not there. */
  offsetOf(text: string): number | undefined {
    return text === "" ? 0 : this.#offsetOf(text);
  }

  /** Own types whose name stands at that offset, in one pass over the headers. */
  #idsByName(offset: number, firstOnly: boolean): readonly number[] {
    const known = this.#byName?.get(offset);
    if (known !== undefined) return known;
    const offsets = this.#index();
    const view = this.#view;
    const { little } = this.#header;
    const ids: number[] = [];
    for (let i = 0; i < offsets.length; i++) {
      if (view.getUint32(offsets[i] as number, little) !== offset) continue;
      ids.push(this.firstId + i);
      if (firstOnly) return ids;
    }
    this.#byName ??= new Map();
    this.#byName.set(offset, ids);
    return ids;
  }

  #candidateIndex(): ReadonlyMap<string, readonly number[]> {
    if (this.#candidates !== undefined) return this.#candidates;
    const index = new Map<string, number[]>();
    const offsets = this.#index();
    const view = this.#view;
    const { little } = this.#header;
    for (let i = 0; i < offsets.length; i++) {
      const nameOffset = view.getUint32(offsets[i] as number, little);
      if (nameOffset === 0) continue;
      const name = essentialName(this.text(nameOffset, MAX_NAME));
      const ids = index.get(name);
      if (ids === undefined) index.set(name, [this.firstId + i]);
      else ids.push(this.firstId + i);
    }
    this.#candidates = index;
    return index;
  }

  /** The places of all own types. Throws BtfError for a kind that is not known, or a type that is cut short. */
  #index(): Uint32Array {
    if (this.#offsets !== undefined) return this.#offsets;
    const { types, typesEnd, little } = this.#header;
    const view = this.#view;
    // The smallest type has 12 bytes: there cannot be more.
    const places = new Uint32Array(Math.floor((typesEnd - types) / 12));
    let count = 0;
    let at = types;
    while (at < typesEnd) {
      if (at + 12 > typesEnd)
        throw new BtfError(`Type ${this.firstId + count} is cut short: the types end in its middle.`);
      const size = kindSize(view.getUint32(at + 4, little));
      if (size === undefined) {
        const kind = (view.getUint32(at + 4, little) >>> 24) & 0x1f;
        throw new BtfError(
          `Type ${this.firstId + count} is of kind ${kind}, which this version of Skep does not know: BTF newer than it, or damaged.`,
        );
      }
      if (at + size > typesEnd)
        throw new BtfError(`Type ${this.firstId + count} is cut short: the types end in its middle.`);
      places[count++] = at;
      at += size;
    }
    this.#offsets = places.slice(0, count);
    return this.#offsets;
  }
}

function checkSize(size: number, id: number): number {
  if (size <= Number.MAX_SAFE_INTEGER) return size;
  throw new BtfError(`Type ${id} would have ${size} bytes.`);
}

/** Where `\0text\0` stands in a table of strings; in a split table the first string has no NUL before it. */
function indexOfText(table: Uint8Array, text: string, split: boolean): number {
  const needle = new TextEncoder().encode(`\0${text}\0`);
  const bare = needle.subarray(1);
  if (split && bare.every((byte, i) => table[i] === byte)) return 0;
  const at = find(table, needle);
  return at < 0 ? -1 : at + 1;
}

/** Node's own search where there is one (some hundred times a loop's speed), a plain search elsewhere. */
function find(haystack: Uint8Array, needle: Uint8Array): number {
  const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
  if (Buffer !== undefined) {
    return Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength).indexOf(needle);
  }
  for (let at = haystack.indexOf(needle[1] ?? 0); at >= 0; at = haystack.indexOf(needle[1] ?? 0, at + 1)) {
    if (at > 0 && needle.every((byte, i) => haystack[at - 1 + i] === byte)) return at - 1;
  }
  return -1;
}
