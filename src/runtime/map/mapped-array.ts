import {
  type Infer,
  type Layout,
  type Memory,
  makeBoundDecoder,
  makeBoundEncoder,
  memoryOf,
} from "../../object/codec/index.ts";
import { MapFlag } from "../../object/spec/index.ts";
import { Mapping, Protection, pageSize } from "../sys/index.ts";
import type { BpfMap } from "./bpf-map.ts";

/** The typed array that numbers of a layout are in; undefined for layouts that are no plain numbers. */
export type ArrayOf<L extends Layout> =
  Infer<L> extends bigint
    ? BigUint64Array | BigInt64Array
    : Infer<L> extends number
      ? Uint32Array | Int32Array | Uint16Array | Uint8Array | undefined
      : undefined;

/**
 * An array map's memory, mapped: reading and writing an element is a load or a store, with no system call (three
 * hundred times cheaper than a look-up). The map must be an `array` made with `MapFlag.mmapable` (Linux 5.5). Elements
 * are 8-aligned; a number of up to 64 bits is read and written at once, a whole struct is not.
 */
export class MappedArray<L extends Layout> {
  /** Bytes from one element to the next. */
  readonly stride: number;
  /** The memory itself, for typed-array access at `index * stride`. Gone after `close()`. */
  readonly memory: Memory;
  readonly #mapping: Mapping;
  readonly #layout: L;
  /** 0 once closed, so that one comparison checks both the index and that the memory is there. */
  #length: number;
  readonly #decode: (offset: number) => Infer<L>;
  readonly #encode: (offset: number, value: Infer<L>) => void;
  /** Where values of several parts are written first: one that does not fit must not be seen half written. */
  readonly #tryOut: ((offset: number, value: Infer<L>) => void) | undefined;

  constructor(map: BpfMap, layout: L) {
    const { type, flags, valueSize, maxEntries, name } = map.info;
    if (type !== "array" || (flags & MapFlag.mmapable) === 0) {
      throw new TypeError(`Map "${name}" cannot be mapped: it must be of type array and made with MapFlag.mmapable.`);
    }
    if (layout.size !== valueSize) {
      throw new RangeError(
        `The value layout is ${layout.size} bytes, but values of map "${name}" are ${valueSize} bytes.`,
      );
    }
    this.#layout = layout;
    this.stride = Math.ceil(valueSize / 8) * 8;
    this.#length = maxEntries;
    const page = pageSize();
    const bytes = Math.ceil((this.stride * maxEntries) / page) * page;
    this.#mapping = new Mapping(map.fd, bytes, Protection.read | Protection.write, 0, `memory of map "${name}"`);
    this.memory = memoryOf(this.#mapping.buffer);
    this.#decode = makeBoundDecoder(layout, this.memory, { live: true });
    this.#encode = makeBoundEncoder(layout, this.memory, { live: true });
    const { kind } = layout as Layout;
    if (kind === "struct" || kind === "array" || kind === "str")
      this.#tryOut = makeBoundEncoder(layout, memoryOf(new ArrayBuffer(this.stride)));
  }

  /** How many elements there are; 0 once closed. */
  get length(): number {
    return this.#length;
  }

  /**
   * The memory as the typed array of its numbers, for loops that read or write very many: element `i` stands at
   * `i * step`. With `BigInt.asUintN(64, …)` around sums the engine makes no bigints of 64-bit ones. Undefined for values that
   * are no plain numbers, and `u64n` and `i64n`, which no typed array has. Throws ClosedError after `close()`, when arrays that
   * were taken before are empty.
   */
  get values(): ArrayOf<L> {
    void this.#mapping.buffer; // throws a ClosedError when it is closed
    const { u64, i64, u32, i32, u16, u8 } = this.memory;
    const views: Readonly<
      Record<string, BigUint64Array | BigInt64Array | Uint32Array | Int32Array | Uint16Array | Uint8Array>
    > = { u64, i64, u32, i32, u16, u8 };
    const view = views[(this.#layout as Layout).kind];
    return view?.subarray(0, this.#length * this.step) as ArrayOf<L>;
  }

  /** How far the elements of `values` are apart: 1 for 64 bits, 2 for 32 … */
  get step(): number {
    return this.stride / this.#layout.size;
  }

  /** The element at `index`. Throws RangeError for one that the array has not, ClosedError after `close()`. */
  get(index: number): Infer<L> {
    return this.#decode(this.#at(index));
  }

  /**
   * Writes the element at `index`. Throws as `get` does, and CodecError for a value that does not fit, which changes
   * nothing.
   */
  set(index: number, value: Infer<L>): void {
    const at = this.#at(index);
    this.#tryOut?.(0, value);
    this.#encode(at, value);
  }

  close(): void {
    this.#length = 0;
    this.#mapping.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #at(index: number): number {
    if (index >>> 0 !== index || index >= this.#length) this.#refuse(index);
    return index * this.stride;
  }

  #refuse(index: number): never {
    void this.#mapping.buffer; // throws a ClosedError when that is why
    throw new RangeError(`Index ${index} is outside 0…${this.#length - 1}.`);
  }
}
