import {
  bytes,
  type Decoder,
  type Encoder,
  type Infer,
  type Layout,
  type Memory,
  makeDecoder,
  makeEncoder,
} from "../../object/codec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BATCH_UNSUPPORTED, lookupBatch, updateBatch } from "./batch.ts";
import { BpfMap, isPerCpu, type MapInfo, type UpdateMode } from "./bpf-map.ts";

/**
 * A map with typed keys and values (hash, array, LRU and their per-CPU kinds). Values of per-CPU maps are arrays with
 * one value per possible CPU.
 */
export class KeyedMap<K, V> extends BpfMap implements Iterable<[K, V]> {
  readonly #keyLayout: Layout;
  readonly #encodeKey: Encoder<K>;
  readonly #decodeValue: Decoder<V>;
  // Made on first use: many maps are only ever read, or only written.
  #decodeKey: Decoder<K> | undefined;
  #encodeValue: Encoder<V> | undefined;
  readonly #valueLayout: Layout;

  constructor(fd: Fd, info: MapInfo, key?: Layout, value?: Layout) {
    super(fd, info);
    this.#keyLayout = checkSize(key ?? bytes(info.keySize), info.keySize, "key", info.name);
    this.#valueLayout = checkSize(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    this.#encodeKey = makeEncoder(this.#keyLayout) as Encoder<K>;
    this.#decodeValue = this.#makeValueDecoder();
  }

  /** The value at `key`, or undefined when the key is not there. */
  get(key: K): V | undefined {
    const { memory } = this.slot;
    this.#encodeKey(memory, this.keyOffset, key);
    return this.lookup() ? this.#decodeValue(memory, this.valueOffset) : undefined;
  }

  has(key: K): boolean {
    this.#encodeKey(this.slot.memory, this.keyOffset, key);
    return this.lookup();
  }

  /** Sets a value. Throws SystemError: EEXIST/ENOENT as `mode` asks, E2BIG when the map is full. */
  set(key: K, value: V, mode: UpdateMode = "any"): void {
    const { memory } = this.slot;
    this.#encodeKey(memory, this.keyOffset, key);
    this.#valueEncoder()(memory, this.valueOffset, value);
    this.update(mode);
  }

  /** Removes a key; false when it was not there. Arrays cannot lose keys: EINVAL. */
  delete(key: K): boolean {
    this.#encodeKey(this.slot.memory, this.keyOffset, key);
    return this.remove();
  }

  /**
   * All entries, read a few thousand at a time with BPF_MAP_LOOKUP_BATCH (Linux 5.6) where the map type has it, key by
   * key elsewhere. A hash that is changed meanwhile may show a new key or not.
   */
  *entries(): IterableIterator<[K, V]> {
    const decodeKey = this.#keyDecoder();
    for (const batch of lookupBatch(this)) {
      if (batch === BATCH_UNSUPPORTED) {
        yield* this.#entriesOneByOne(decodeKey);
        return;
      }
      const { memory, keyOffset, keyStride, valueOffset, count } = batch;
      for (let i = 0; i < count; i++) {
        yield [
          decodeKey(memory, keyOffset + i * keyStride),
          this.#decodeValue(memory, valueOffset + i * this.valueBytes),
        ];
      }
    }
  }

  /** Calls `visit` for each entry: `entries()` without an array per entry. */
  forEach(visit: (value: V, key: K) => void): void {
    const decodeKey = this.#keyDecoder();
    for (const batch of lookupBatch(this)) {
      if (batch === BATCH_UNSUPPORTED) {
        for (const [key, value] of this.#entriesOneByOne(decodeKey)) visit(value, key);
        return;
      }
      const { memory, keyOffset, keyStride, valueOffset, count } = batch;
      const decodeValue = this.#decodeValue;
      const stride = this.valueBytes;
      for (let i = 0; i < count; i++)
        visit(decodeValue(memory, valueOffset + i * stride), decodeKey(memory, keyOffset + i * keyStride));
    }
  }

  /** Sets many entries with one system call (BPF_MAP_UPDATE_BATCH, Linux 5.6; one by one where there is none). */
  setMany(entries: Iterable<readonly [K, V]>): void {
    const all = Array.isArray(entries) ? (entries as readonly (readonly [K, V])[]) : [...entries];
    const encodeKey = this.#encodeKey;
    const encodeValue = this.#valueEncoder();
    const done = updateBatch(this, all.length, (memory: Memory, keyOffset: number, valueOffset: number, i: number) => {
      const [key, value] = all[i] as readonly [K, V];
      encodeKey(memory, keyOffset, key);
      encodeValue(memory, valueOffset, value);
    });
    for (const [key, value] of all.slice(done)) this.set(key, value);
  }

  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  *#entriesOneByOne(decodeKey: Decoder<K>): IterableIterator<[K, V]> {
    const { memory } = this.slot;
    const next = new Uint8Array(this.info.keySize);
    for (let more = this.nextKey(true); more; ) {
      const key = decodeKey(memory, this.keyOffset);
      const entry: [K, V] | undefined = this.lookup() ? [key, this.#decodeValue(memory, this.valueOffset)] : undefined;
      // The caller may delete this key, upon which the kernel would start over: the next one is asked for before. It may
      // also use the map, so the place is kept outside the slot.
      more = this.nextKey(false);
      next.set(memory.u8.subarray(this.keyOffset, this.keyOffset + next.length));
      if (entry !== undefined) yield entry;
      if (more) this.moveTo(next);
    }
  }

  #keyDecoder(): Decoder<K> {
    this.#decodeKey ??= makeDecoder(this.#keyLayout, { align: strideAlign(this.info.keySize) }) as Decoder<K>;
    return this.#decodeKey;
  }

  #valueEncoder(): Encoder<V> {
    if (this.#encodeValue === undefined) {
      const one = makeEncoder(this.#valueLayout) as Encoder<unknown>;
      this.#encodeValue = isPerCpu(this.info.type)
        ? (memory, offset, values) => {
            const cpus = this.valueBytes / this.valueStride;
            const list = values as readonly unknown[];
            if (!Array.isArray(values) || list.length !== cpus) {
              throw new RangeError(
                `A value of per-CPU map "${this.name}" is an array of ${cpus} values, one per possible CPU.`,
              );
            }
            for (let cpu = 0; cpu < cpus; cpu++) one(memory, offset + cpu * this.valueStride, list[cpu]);
          }
        : (one as Encoder<V>);
    }
    return this.#encodeValue;
  }

  #makeValueDecoder(): Decoder<V> {
    const perCpu = isPerCpu(this.info.type);
    const one = makeDecoder(this.#valueLayout, { align: strideAlign(this.valueStride) }) as Decoder<unknown>;
    if (!perCpu) return one as Decoder<V>;
    const stride = this.valueStride;
    const cpus = this.valueBytes / stride;
    return (memory, offset) => {
      const values = new Array<unknown>(cpus);
      for (let cpu = 0; cpu < cpus; cpu++) values[cpu] = one(memory, offset + cpu * stride);
      return values as V;
    };
  }
}

/** The JavaScript type of the values of a map of type `T` with value layout `L`. */
export type ValueOf<T, L> = T extends "percpu_hash" | "percpu_array" | "lru_percpu_hash" ? Infer<L>[] : Infer<L>;

/** Keys and values stand 8-aligned in the slot, but at any multiple of their size in a batch. */
function strideAlign(stride: number): 1 | 2 | 4 | 8 {
  return stride % 8 === 0 ? 8 : stride % 4 === 0 ? 4 : stride % 2 === 0 ? 2 : 1;
}

function checkSize(layout: Layout, size: number, what: string, name: string): Layout {
  if (layout.size === size) return layout;
  throw new RangeError(
    `The ${what} layout of map "${name}" is ${layout.size} bytes, but its ${what}s are ${size} bytes.`,
  );
}
