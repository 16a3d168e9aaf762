import { BtfError } from "./btf-error.ts";
import { type BtfHeader, readHeader } from "./header.ts";
import { kindSize } from "./kind.ts";

/**
 * Changes to a copy of BTF that keep the ids of its types: fields are overwritten in place, new strings and types come
 * behind. For types that go on from nothing (no base).
 */
export class BtfEdit {
  readonly #header: BtfHeader;
  readonly #types: Uint8Array;
  readonly #view: DataView;
  readonly #strings: Uint8Array;
  readonly #places: number[] = [];
  readonly #newTypes: number[][] = [];
  readonly #newStrings: Uint8Array[] = [];
  #newStringBytes = 0;

  constructor(bytes: Uint8Array) {
    const header = readHeader(bytes);
    this.#header = header;
    // A copy: Node's own Buffer would share.
    this.#types = new Uint8Array(bytes.subarray(header.types, header.typesEnd));
    this.#view = new DataView(this.#types.buffer);
    this.#strings = bytes.subarray(header.strings, header.stringsEnd);
    for (let at = 0; at < this.#types.length; ) {
      const size = at + 12 > this.#types.length ? undefined : kindSize(this.#view.getUint32(at + 4, header.little));
      if (size === undefined) throw new BtfError(`Type ${this.#places.length + 1} cannot be read.`);
      this.#places.push(at);
      at += size;
    }
  }

  /** The 32-bit word at `offset` of a type: 0 its name, 4 its info, 8 its size or type, 12 … what its kind adds. */
  get(id: number, offset: number): number {
    return this.#view.getUint32(this.#place(id) + offset, this.#header.little);
  }

  /** Writes the 32-bit word at `offset` of a type, counted as for `get`. */
  set(id: number, offset: number, value: number): void {
    this.#view.setUint32(this.#place(id) + offset, value, this.#header.little);
  }

  /** Adds a type by its words; its id. */
  addType(...words: readonly number[]): number {
    this.#newTypes.push([...words]);
    return this.#places.length + this.#newTypes.length;
  }

  /** Adds a string; its offset. */
  addString(text: string): number {
    const bytes = new TextEncoder().encode(`${text}\0`);
    const offset = this.#strings.length + this.#newStringBytes;
    this.#newStrings.push(bytes);
    this.#newStringBytes += bytes.length;
    return offset;
  }

  /** The changed BTF. */
  bytes(): Uint8Array {
    const { little } = this.#header;
    const added = this.#newTypes.flat();
    const types = this.#types.length + added.length * 4;
    const strings = this.#strings.length + this.#newStringBytes;
    const bytes = new Uint8Array(24 + types + strings);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, little);
    view.setUint8(2, 1);
    for (const [i, word] of [24, 0, types, types, strings].entries()) view.setUint32(4 + i * 4, word, little);
    bytes.set(this.#types, 24);
    for (const [i, word] of added.entries()) view.setUint32(24 + this.#types.length + i * 4, word, little);
    let at = 24 + types;
    for (const part of [this.#strings, ...this.#newStrings]) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #place(id: number): number {
    const place = this.#places[id - 1];
    if (place === undefined) throw new BtfError(`There is no type ${id}.`);
    return place;
  }
}
