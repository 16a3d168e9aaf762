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

  get(index: number): Infer<L> {
    return this.#decode(this.#at(index));
  }

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
