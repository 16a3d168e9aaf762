import type { Btf } from "./btf.ts";
import { BtfError } from "./btf-error.ts";
import { checkType } from "./check-type.ts";
import { encodeType } from "./encode-type.ts";
import { mapReferences, referencesOf } from "./references.ts";
import { Strings } from "./strings.ts";
import type { BtfKind, BtfType } from "./type.ts";

const HEADER_SIZE = 24;
/** What the offsets reach. The kernel itself takes 16 MiB, which is for it to say: tables are also made to be deduplicated. */
const MOST_BYTES = 0x7fffffff;

/** What a `BtfBuilder` begins with. */
export interface BtfBuilderOptions {
  /** "little" where it is not said; with a base, the base's. */
  readonly byteOrder?: "little" | "big";
  /** Makes split BTF: ids and strings go on from the base's end, and the base's may be named. */
  readonly base?: Btf;
}

/**
 * Makes BTF out of types (Documentation/bpf/btf.rst). Types name each other by id, also by ids that are still to come:
 * `reserve` gives the id, `set` its type. Types are kept as they are added, equal ones too: see `dedup`.
 *
 * ```ts
 * const builder = new BtfBuilder();
 * const node = builder.reserve();
 * const pointer = builder.add({ kind: "pointer", name: "", type: node });
 * builder.set(node, { kind: "struct", name: "node", size: 8,
 *   members: [{ name: "next", type: pointer, bitOffset: 0, bitSize: 0 }] });
 * const btf = Btf.parse(builder.build());
 * ```
 */
export class BtfBuilder {
  readonly byteOrder: "little" | "big";
  readonly base: Btf | undefined;
  /** The id of the first type added: 1, or the base's `endId`. */
  readonly firstId: number;
  /** undefined for one that is reserved. */
  readonly #types: (BtfType | undefined)[] = [];
  readonly #added = new Map<Btf, (id: number) => number>();

  /** Throws BtfError for a byte order that is not the base's. */
  constructor({ byteOrder, base }: BtfBuilderOptions = {}) {
    if (base !== undefined && byteOrder !== undefined && byteOrder !== base.byteOrder)
      throw new BtfError(`The base is ${base.byteOrder}-endian: what goes on from it cannot be ${byteOrder}-endian.`);
    this.byteOrder = byteOrder ?? base?.byteOrder ?? "little";
    this.base = base;
    this.firstId = base?.endId ?? 1;
  }

  /** The id that the next `add` or `reserve` gives. */
  get nextId(): number {
    return this.firstId + this.#types.length;
  }

  /**
   * Adds a type; its id. Throws BtfError for what BTF cannot hold: names of more than 511 bytes, more than 65,535 members,
   * values that do not fit. Ids in it are looked at by `build`.
   */
  add(type: BtfType): number {
    checkType(type);
    return this.#push(type);
  }

  /** An id whose type `set` gives later. */
  reserve(): number {
    return this.#push(undefined);
  }

  /** Gives an id (of `reserve` or `add`) its type. Throws BtfError as `add` does, and for an id that is not of this builder. */
  set(id: number, type: BtfType): void {
    if (!Number.isInteger(id) || id < this.firstId || id >= this.nextId)
      throw new BtfError(`There is no type ${id} to be set: the ids are ${this.firstId} to ${this.nextId - 1}.`);
    checkType(type);
    this.#types[id - this.firstId] = type;
  }

  /**
   * Copies all types of a table; what their ids are here. Where the table is split, its base is copied before it, unless it
   * is this builder's own base or was added before. Throws BtfError as `add` does; then nothing is added.
   */
  addAll(btf: Btf): (id: number) => number {
    const before = this.#types.length;
    const added = new Map(this.#added);
    try {
      return this.#copy(btf);
    } catch (error) {
      this.#types.length = before;
      this.#added.clear();
      for (const [table, map] of added) this.#added.set(table, map);
      throw error;
    }
  }

  /**
   * The BTF. May be called again after more was added. Throws BtfError for a reserved id without a type, an id that is not
   * there, and one of a kind that cannot stand where it does (a function's type that is no prototype).
   */
  build(): Uint8Array {
    const strings = new Strings(this.base);
    const words: number[] = [];
    const text = (name: string) => strings.add(name);
    for (const [i, type] of this.#types.entries()) {
      const id = this.firstId + i;
      if (type === undefined) throw new BtfError(`Type ${id} was reserved, and never set.`);
      this.#checkReferences(id, type);
      encodeType(type, text, words);
    }
    return assemble(words, strings.bytes(), this.byteOrder === "little");
  }

  #push(type: BtfType | undefined): number {
    this.#types.push(type);
    return this.nextId - 1;
  }

  #copy(btf: Btf): (id: number) => number {
    const { base } = btf;
    const baseId =
      base === undefined || base === this.base ? (id: number) => id : (this.#added.get(base) ?? this.#copy(base));
    const { firstId, endId } = btf;
    const shift = this.nextId - firstId;
    const map = (id: number): number => {
      if (id < firstId) return id === 0 ? 0 : baseId(id);
      if (id >= endId) throw new BtfError(`There is no type ${id}: the ids are 1 to ${endId - 1}.`);
      return id + shift;
    };
    for (let id = firstId; id < endId; id++) this.add(mapReferences(btf.type(id), map));
    this.#added.set(btf, map);
    return map;
  }

  #kind(id: number): BtfKind | undefined {
    if (id === 0) return "void";
    if (this.base !== undefined && id > 0 && id < this.firstId) return this.base.kind(id);
    return this.#types[id - this.firstId]?.kind;
  }

  #checkReferences(id: number, type: BtfType): void {
    for (const reference of referencesOf(type)) {
      const kind = this.#kind(reference);
      if (kind === undefined)
        throw new BtfError(
          `Type ${id}, a ${type.kind}, names type ${reference}, and the ids are 0 to ${this.nextId - 1}.`,
        );
      const fits =
        type.kind === "function"
          ? kind === "prototype"
          : type.kind !== "section" || kind === "variable" || kind === "function";
      if (!fits) throw new BtfError(`Type ${id}, a ${type.kind}, names type ${reference}, which is a ${kind}.`);
    }
  }
}

function assemble(words: readonly number[], strings: Uint8Array, little: boolean): Uint8Array {
  const types = words.length * 4;
  const length = HEADER_SIZE + types + strings.length;
  if (length > MOST_BYTES) throw new BtfError(`The types and their names would have ${length} bytes.`);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, little);
  view.setUint8(2, 1);
  for (const [i, word] of [HEADER_SIZE, 0, types, types, strings.length].entries())
    view.setUint32(4 + i * 4, word, little);
  for (let i = 0; i < words.length; i++) view.setUint32(HEADER_SIZE + i * 4, words[i] as number, little);
  bytes.set(strings, HEADER_SIZE + types);
  return bytes;
}
