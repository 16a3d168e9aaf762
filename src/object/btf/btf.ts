import { BtfError } from "./btf-error.ts";
import { MACHINE_ORDER } from "./byte-order.ts";
import { decodeType } from "./decode-type.ts";
import { essentialName } from "./essential-name.ts";
import { type BtfHeader, readHeader } from "./header.ts";
import { KIND_BYTES, KIND_NAMES, MEMBER_BYTES } from "./kind.ts";
import { NameIndex } from "./name-index.ts";
import type { BtfKind, BtfType } from "./type.ts";

const VOID: BtfType = { kind: "void", name: "" };
/** How many typedefs and qualifiers may stand before a type; more is taken for a loop. */
const MAX_CHAIN = 64;
/** Names are far shorter (the kernel takes 511 bytes); without a limit many names inside one long text take all memory. */
const MAX_NAME = 4096;
const MAX_TEXT = 65_536;
const MAX_CACHED = 512;
/** Bytes of types: an object has fewer; a kernel has more, and comes from tools that keep each text once. */
const SMALL = 400_000;
const decoder = new TextDecoder();

/** What `Btf` is to know of the bytes it reads. */
export interface BtfOptions {
  /** What split BTF (a module's) goes on from: its ids and names count from the base's end. */
  readonly base?: Btf;
  /** The bytes are memory that must not be written to: `bytes` hands out copies. */
  readonly readOnly?: boolean;
}

/**
 * The types of an object, a kernel or a module (Documentation/bpf/btf.rst). Immutable. Reading looks at the header only;
 * questions index the types in a pass over their headers, as far as they have to (what much of a kernel uses stands at its
 * beginning), and a type is decoded when it is first asked for: one structure of a kernel with 150,000 types costs
 * milliseconds.
 */
export class Btf {
  readonly byteOrder: "little" | "big";
  /** For split BTF: what its ids and names go on from. */
  readonly base: Btf | undefined;
  /** Its own types have the ids from `firstId` (1, or the base's `endId`) to before `endId`. */
  readonly firstId: number;
  readonly #header: BtfHeader;
  readonly #bytes: Uint8Array;
  readonly #readOnly: boolean;
  readonly #view: DataView;
  /** The same in words, where the machine's own byte order and the place allow it: several times as fast to go through. */
  readonly #words: Uint32Array | undefined;
  readonly #types = new Map<number, BtfType>();
  /** What `find` found, by kind and name. */
  readonly #found = new Map<string, number | undefined>();
  readonly #texts = new Map<number, string>();
  /** Null where it is not to be had. */
  #plain: string | null | undefined;
  /** Where each own type begins in `bytes`, and where its name stands, for as many as were gone over. */
  #places = new Uint32Array(0);
  /** Beside the places: the engine's own search goes through them in a fraction of the time that a loop takes. */
  #nameOffsets = new Uint32Array(0);
  #count = 0;
  /** Where the next one begins. */
  #next: number;
  #nameIndex: NameIndex | undefined;
  readonly #candidates = new Map<string, readonly number[]>();
  /** All names of a small table. */
  #small: ReadonlyMap<string, readonly number[]> | undefined;

  private constructor(bytes: Uint8Array, header: BtfHeader, { base, readOnly = false }: BtfOptions) {
    this.#bytes = bytes;
    this.#readOnly = readOnly;
    this.byteOrder = header.little ? "little" : "big";
    this.base = base;
    this.firstId = base?.endId ?? 1;
    this.#header = header;
    this.#next = header.types;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (this.byteOrder === MACHINE_ORDER && header.types % 4 === 0 && bytes.byteOffset % 4 === 0)
      this.#words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2);
  }

  /** Reads BTF of either byte order. Throws BtfError for bytes that are none or are cut short. */
  static parse(bytes: Uint8Array, options: BtfOptions = {}): Btf {
    return new Btf(bytes, readHeader(bytes), options);
  }

  /** The bytes it was read from. */
  get bytes(): Uint8Array {
    return this.#readOnly ? this.#bytes.slice() : this.#bytes;
  }

  get endId(): number {
    this.#goOn(Number.POSITIVE_INFINITY, -1);
    return this.firstId + this.#count;
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
      type = decodeType(this.#view, this.#place(id), this.#header.little, (offset) => this.text(offset, MAX_NAME));
      this.#types.set(id, type);
    }
    return type;
  }

  /** The kind alone, without decoding the type. */
  kind(id: number): BtfKind {
    if (id === 0) return "void";
    if (id < this.firstId && this.base !== undefined) return this.base.kind(id);
    return KIND_NAMES[(this.#view.getUint32(this.#place(id) + 4, this.#header.little) >>> 24) & 0x1f] as BtfKind;
  }

  /**
   * The string at an offset of the string table, of at most `limit` bytes. Throws BtfError for an offset outside of it, or a
   * longer string.
   */
  text(offset: number, limit: number = MAX_TEXT): string {
    if (offset === 0) return "";
    const start = this.stringsStart;
    if (offset < start && this.base !== undefined) return this.base.text(offset, limit);
    let text = this.#texts.get(offset);
    if (text === undefined) {
      const { strings, stringsEnd } = this.#header;
      const at = offset - start;
      if (strings + at >= stringsEnd)
        throw new BtfError(`A name is at ${offset} of the strings, which end at ${this.stringsEnd}.`);
      const plain = this.#plainStrings;
      // The table ends with a NUL, so there is one.
      const length =
        (plain === undefined ? this.#bytes.indexOf(0, strings + at) - strings : plain.indexOf("\0", at)) - at;
      if (length > limit)
        throw new BtfError(`The text at ${offset} of the strings has ${length} bytes: more than ${limit} are no name.`);
      text =
        plain === undefined
          ? decoder.decode(this.#bytes.subarray(strings + at, strings + at + length))
          : plain.slice(at, at + length);
      if (length <= MAX_CACHED) this.#texts.set(offset, text);
    }
    return text;
  }

  /** All strings of a small table at once, where each byte is a character: it is then cut up several times as fast. */
  get #plainStrings(): string | undefined {
    if (this.#plain === undefined) {
      const { strings, stringsEnd } = this.#header;
      const isSmall = this.#isSmall && stringsEnd - strings <= SMALL;
      const all = isSmall ? decoder.decode(this.#bytes.subarray(strings, stringsEnd)) : "";
      this.#plain = isSmall && all.length === stringsEnd - strings ? all : null;
    }
    return this.#plain ?? undefined;
  }

  /**
   * The id of the first type of that name (and kind), the base's before its own; undefined when there is none. Of a large table it
   * is taken that each text stands once in it, as everything that makes such tables has it.
   */
  find(name: string, kind?: BtfKind): number | undefined {
    const inBase = this.base?.find(name, kind);
    if (inBase !== undefined) return inBase;
    // Each look may go over many types.
    const asked = `${kind ?? ""} ${name}`;
    if (!this.#found.has(asked)) this.#found.set(asked, this.#own(name, kind, true)[0]);
    return this.#found.get(asked);
  }

  /** All ids of that name (and kind), the base's first. */
  findAll(name: string, kind?: BtfKind): readonly number[] {
    return [...(this.base?.findAll(name, kind) ?? []), ...this.#own(name, kind, false)];
  }

  /**
   * Ids of all types whose name is `name` but for a flavour (`task_struct___old`), the base's first: what CO-RE compares
   * with.
   */
  candidates(name: string): readonly number[] {
    const own = this.#candidatesOf(name);
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
    const isKind = (id: number) => kind === undefined || this.kind(id) === kind;
    if (this.#isSmall) return this.#candidatesOf(name).filter((id) => this.type(id).name === name && isKind(id));
    if (!firstOnly) return this.#named(this.#offsetsOf(name), isKind);
    const offset = this.offsetOf(name);
    if (offset === undefined) return [];
    const first = this.#firstNamed(offset, isKind);
    // Where a text stands twice the type may be by the other one.
    return first === undefined ? this.#named(this.#offsetsOf(name), isKind) : [first];
  }

  /** Where a name stands; more than once where nobody took care, in its base's table when it is there. */
  #offsetsOf(name: string): number[] {
    const inBase = this.base?.offsetOf(name);
    if (inBase !== undefined) return [inBase];
    return this.#names.exact(name).map((at) => this.stringsStart + at);
  }

  /** Offset of a text in the string table; undefined when it is not there. */
  offsetOf(text: string): number | undefined {
    if (text === "") return 0;
    const inBase = this.base?.offsetOf(text);
    if (inBase !== undefined) return inBase;
    const own = this.#names.first(text);
    return own === undefined ? undefined : this.stringsStart + own;
  }

  get #isSmall(): boolean {
    return this.#header.typesEnd - this.#header.types <= SMALL;
  }

  get #names(): NameIndex {
    const { strings, stringsEnd } = this.#header;
    this.#nameIndex ??= new NameIndex(this.#bytes.subarray(strings, stringsEnd), this.stringsStart > 0);
    return this.#nameIndex;
  }

  /** Own types whose name stands at one of these offsets, in the order of their ids. */
  #named(offsets: readonly number[], isWanted: (id: number) => boolean): number[] {
    this.#goOn(Number.POSITIVE_INFINITY, -1);
    const ids: number[] = [];
    for (const offset of offsets) {
      for (let i = this.#indexOf(offset, 0); i >= 0; i = this.#indexOf(offset, i + 1))
        if (isWanted(this.firstId + i)) ids.push(this.firstId + i);
    }
    return offsets.length > 1 ? ids.sort((a, b) => a - b) : ids;
  }

  /** The first own type whose name stands at this offset: no type behind it is looked at that was not before. */
  #firstNamed(offset: number, isWanted: (id: number) => boolean): number | undefined {
    for (let i = this.#indexOf(offset, 0); ; i = this.#indexOf(offset, i + 1)) {
      if (i < 0) {
        if (!this.#goOn(Number.POSITIVE_INFINITY, offset)) return undefined;
        i = this.#count - 1;
      }
      if (isWanted(this.firstId + i)) return this.firstId + i;
    }
  }

  /** Of those that were gone over, the next one whose name stands there; -1 when there is none. */
  #indexOf(offset: number, from: number): number {
    // The array has room for more.
    const i = this.#nameOffsets.subarray(from, this.#count).indexOf(offset);
    return i < 0 ? -1 : from + i;
  }

  /** Own types whose name is `name` but for a flavour. In a small table all names are looked at: they may overlap. */
  #candidatesOf(flavour: string): readonly number[] {
    const name = essentialName(flavour);
    if (this.#isSmall) return this.#candidateIndex().get(name) ?? [];
    const known = this.#candidates.get(name);
    if (known !== undefined) return known;
    // Names that the base has, too, stand in its table.
    const offsets = this.#offsetsLike(name);
    const ids = this.#named(offsets, () => true);
    this.#candidates.set(name, ids);
    return ids;
  }

  /** Offsets of all strings whose essential name is `name`, the base's first. */
  #offsetsLike(name: string): number[] {
    const own = this.#names
      .candidates(name)
      .map((at) => this.stringsStart + at)
      .filter((offset) => essentialName(this.text(offset)) === name);
    return this.base === undefined ? own : [...this.base.#offsetsLike(name), ...own];
  }

  #candidateIndex(): ReadonlyMap<string, readonly number[]> {
    if (this.#small !== undefined) return this.#small;
    const index = new Map<string, number[]>();
    this.#goOn(Number.POSITIVE_INFINITY, -1);
    for (let i = 0; i < this.#count; i++) {
      const nameOffset = this.#nameOffsets[i] as number;
      if (nameOffset === 0) continue;
      const name = essentialName(this.text(nameOffset, MAX_NAME));
      const ids = index.get(name);
      if (ids === undefined) index.set(name, [this.firstId + i]);
      else ids.push(this.firstId + i);
    }
    this.#small = index;
    return index;
  }

  #broken(count: number, at: number, end: number, kind: number): BtfError {
    const id = this.firstId + count;
    if (at + 12 > end || KIND_BYTES[kind] !== 0)
      return new BtfError(`Type ${id} is cut short: the types end in its middle.`);
    return new BtfError(
      `Type ${id} is of kind ${kind}, which this version of Skep does not know: BTF newer than it, or damaged.`,
    );
  }

  /** The place of an own type. Throws BtfError for an id that there is not. */
  #place(id: number): number {
    const i = id - this.firstId;
    if (i >= this.#count) this.#goOn(i + 1, -1);
    const at = i < this.#count ? this.#places[i] : undefined;
    if (at !== undefined) return at;
    throw new BtfError(`There is no type ${id}: the ids are 1 to ${this.endId - 1}.`);
  }

  /**
   * Goes over more types: until there are `wanted`, or behind the next one whose name stands at `name`. Whether that one came.
   * The types of a small table are all gone over at once: whether it is whole is known before anything is done with it. Throws
   * BtfError for a kind that is not known, or a type that is cut short.
   */
  #goOn(wanted: number, name: number): boolean {
    const { types, typesEnd, little } = this.#header;
    const most = this.#isSmall ? Number.POSITIVE_INFINITY : wanted;
    const view = this.#view;
    const words = this.#words;
    let places = this.#places;
    let names = this.#nameOffsets;
    let count = this.#count;
    let at = this.#next;
    if (at >= typesEnd) return false;
    // Those of a kernel have 22 bytes in the mean, and none fewer than 12.
    if (places.length === 0) {
      places = new Uint32Array(Math.ceil((typesEnd - types) / 20) + 16);
      names = new Uint32Array(places.length);
    }
    let came = false;
    while (at < typesEnd && count < most && !came) {
      const info = words === undefined ? view.getUint32(at + 4, little) : (words[(at + 4) >>> 2] as number);
      const kind = (info >>> 24) & 0x1f;
      // No function call: this is gone through before the engine has compiled anything.
      const size = (KIND_BYTES[kind] as number) + (MEMBER_BYTES[kind] as number) * (info & 0xffff);
      if (size < 12 || at + size > typesEnd) throw this.#broken(count, at, typesEnd, kind);
      if (count === places.length) {
        places = doubled(places);
        names = doubled(names);
      }
      const own = words === undefined ? view.getUint32(at, little) : (words[at >>> 2] as number);
      places[count] = at;
      names[count++] = own;
      came = own === name;
      at += size;
    }
    this.#places = places;
    this.#nameOffsets = names;
    this.#count = count;
    this.#next = at;
    return came;
  }
}

function doubled(array: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const more = new Uint32Array(array.length * 2);
  more.set(array);
  return more;
}

function checkSize(size: number, id: number): number {
  if (size <= Number.MAX_SAFE_INTEGER) return size;
  throw new BtfError(`Type ${id} would have ${size} bytes.`);
}
