import {
  bytes,
  type Decoder,
  type Encoder,
  hasText,
  type Infer,
  type Layout,
  type Memory,
  makeBoundDecoder,
  makeDecoder,
  makeEncoder,
} from "../../object/codec/index.ts";
import { isPerCpu, type PerCpuMap } from "../../object/spec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BATCH_UNSUPPORTED, type Batch, deleteBatch, lookupBatch, updateBatch } from "./batch.ts";
import { BatchedEntries, type EntryDecoders, type EntrySource } from "./batched-entries.ts";
import { BpfMap, isArray, type LookupOptions, type MapInfo, type UpdateMode, type UpdateOptions } from "./bpf-map.ts";
import { checkLayout } from "./check-layout.ts";
import { ShownKeys } from "./shown-keys.ts";

/** How `KeyedMap.entries` reads. */
export interface EntriesOptions {
  /** `false` reads key by key even where the kernel has batches: less memory for huge values, several times slower. */
  readonly batch?: boolean;
}

/**
 * A map with typed keys and values: hash, array, LRU and their per-CPU kinds, LPM trie, stack traces, cgroup storage,
 * devmap (values: struct bpf_devmap_val, or a u32), cpumap (struct bpf_cpumap_val, or a u32). Values of per-CPU maps are arrays with one value per possible CPU.
 */
export class KeyedMap<K, V> extends BpfMap implements Iterable<[K, V]> {
  readonly #keyLayout: Layout;
  // Made on first use: many maps are only ever read, or only written, and most of an object's only by its programs.
  #encodeKey: Encoder<K> | undefined;
  #decodeValue: Decoder<V> | undefined;
  #decodeOne: Decoder<unknown> | undefined;
  #decodeKey: Decoder<K> | undefined;
  #encodeValue: Encoder<V> | undefined;
  /** The decoders for memories that batches share. */
  #ofBatches: WeakMap<Memory, EntryDecoders<K, V>> | undefined;
  readonly #valueLayout: Layout;

  constructor(fd: Fd, info: MapInfo, key?: Layout, value?: Layout) {
    // Before memory is taken for calls.
    const keyLayout = checkLayout(key ?? bytes(info.keySize), info.keySize, "key", info.name);
    const valueLayout = checkLayout(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    super(fd, info);
    this.#keyLayout = keyLayout;
    this.#valueLayout = valueLayout;
  }

  /** How a value reads (of per-CPU maps one CPU's): raw bytes where nothing is known of its type. */
  get valueLayout(): Layout {
    return this.#valueLayout;
  }

  /** The value at `key`, or undefined when the key is not there. */
  get(key: K, options?: LookupOptions): V | undefined {
    const { memory } = this.slot;
    this.#keyEncoder()(memory, this.keyOffset, key);
    return this.lookup(options) ? this.#valueDecoder()(memory, this.valueOffset) : undefined;
  }

  /** Whether the key is there. Throws SystemError. */
  has(key: K): boolean {
    this.#keyEncoder()(this.slot.memory, this.keyOffset, key);
    return this.lookup();
  }

  /**
   * Whether there is no entry at all. Asks for the first key and reads no value (BPF_MAP_GET_NEXT_KEY), so that no program
   * is kept waiting or skipped for it. Arrays have all their entries always. Throws SystemError.
   */
  isEmpty(): boolean {
    return !this.nextKey(true);
  }

  /** Sets a value. Throws SystemError: EEXIST/ENOENT as `mode` asks, E2BIG when the map is full. */
  set(key: K, value: V, mode: UpdateMode | UpdateOptions = "any"): void {
    const { memory } = this.slot;
    this.#keyEncoder()(memory, this.keyOffset, key);
    this.#valueEncoder()(memory, this.valueOffset, value);
    this.update(mode);
  }

  /** Removes a key; false when it was not there. Arrays cannot lose keys: EINVAL. */
  delete(key: K): boolean {
    this.#keyEncoder()(this.slot.memory, this.keyOffset, key);
    return this.remove();
  }

  /**
   * Removes a key and returns its value as one step, so that no program's update in between is lost; undefined when it was
   * not there. Throws SystemError where the kernel cannot (hashes can since Linux 5.14).
   */
  take(key: K): V | undefined {
    const { memory } = this.slot;
    this.#keyEncoder()(memory, this.keyOffset, key);
    return this.lookupAndDelete() ? this.#valueDecoder()(memory, this.valueOffset) : undefined;
  }

  /**
   * All entries, read up to half a megabyte at a time with BPF_MAP_LOOKUP_BATCH (Linux 5.6) where the map type has it, key by
   * key elsewhere (LPM tries, too). A hash that is changed meanwhile may show a new key or not, but no key twice. In batches every key that
   * is there throughout appears; key by key the kernel may step over one whose neighbour is replaced meanwhile, and starts
   * over when the key it stands at is deleted: keys seen already are left out then, and after ten starts over the error is
   * a MapChangedError. In batches, what `next()` returns has `value` as a getter, which makes the pair anew each time it is read.
   */
  entries(options: EntriesOptions = {}): IterableIterator<[K, V]> {
    return options.batch === false ? this.#entriesOneByOne() : new BatchedEntries(() => this.#entrySource());
  }

  #entrySource(): EntrySource<K, V> {
    return {
      batches: lookupBatch(this),
      decodersOf: (batch) => this.#decodersOf(batch),
      valueStride: this.valueBytes,
      otherwise: () => this.#entriesOneByOne(),
    };
  }

  /** All keys; as `entries()`. */
  *keys(): IterableIterator<K> {
    for (const [key] of this.entries()) yield key;
  }

  /** All values; as `entries()`. */
  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  /**
   * Takes all entries out of a hash, up to half a megabyte at a time (BPF_MAP_LOOKUP_AND_DELETE_BATCH, Linux 5.6): every update
   * of a program's is either in what is yielded or still in the map. A batch that was yielded is the caller's; what the
   * loop does not ask for stays in the map. Layouts that may refuse a value (`u64n`, `i64n`) do not suit: the batch it is in
   * would be lost. Throws SystemError for map types that cannot.
   */
  *drain(): IterableIterator<[K, V][]> {
    for (const batch of lookupBatch(this, "BPF_MAP_LOOKUP_AND_DELETE_BATCH")) {
      if (batch === BATCH_UNSUPPORTED)
        throw this.failure(
          "BPF_MAP_LOOKUP_AND_DELETE_BATCH",
          EOPNOTSUPP,
          `take all entries out of map "${this.name}"`,
          `Maps of type ${this.info.type} cannot do so on this kernel: hashes can since Linux 5.6.`,
        );
      const { keyOffset, keyStride, valueOffset, count } = batch;
      const { key, value } = this.#decodersOf(batch);
      const stride = this.valueBytes;
      const entries = new Array<[K, V]>(count);
      for (let i = 0; i < count; i++) entries[i] = [key(keyOffset + i * keyStride), value(valueOffset + i * stride)];
      if (count > 0) yield entries;
    }
  }

  /** Removes many keys with one system call (BPF_MAP_DELETE_BATCH, Linux 5.6; one by one where there is none); how many were there. */
  deleteMany(keys: Iterable<K>): number {
    const all = Array.isArray(keys) ? (keys as readonly K[]) : [...keys];
    if (all.length === 0) return 0;
    const encodeKey = this.#keyEncoder();
    const deleted = deleteBatch(this, all.length, (memory, offset, i) => encodeKey(memory, offset, all[i] as K));
    return deleted ?? all.filter((key) => this.delete(key)).length;
  }

  /** Calls `visit` for each entry: `entries()` without an array per entry. */
  forEach(visit: (value: V, key: K) => void): void {
    for (const batch of lookupBatch(this)) {
      if (batch === BATCH_UNSUPPORTED) {
        for (const [key, value] of this.#entriesOneByOne()) visit(value, key);
        return;
      }
      const { keyOffset, keyStride, valueOffset, count } = batch;
      const { key, value } = this.#decodersOf(batch);
      const stride = this.valueBytes;
      for (let i = 0; i < count; i++) visit(value(valueOffset + i * stride), key(keyOffset + i * keyStride));
    }
  }

  /** Sets many entries with one system call (BPF_MAP_UPDATE_BATCH, Linux 5.6; one by one where there is none). */
  setMany(entries: Iterable<readonly [K, V]>): void {
    const all = Array.isArray(entries) ? (entries as readonly (readonly [K, V])[]) : [...entries];
    const encodeKey = this.#keyEncoder();
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

  *#entriesOneByOne(): IterableIterator<[K, V]> {
    const decodeKey = this.#keyDecoder();
    const { memory } = this.slot;
    const next = new Int32Array((this.info.keySize + 3) >>> 2);
    // The keys of an array are always the same ones, in order.
    const shown = isArray(this.info.type) ? undefined : new ShownKeys(this);
    for (let more = this.nextKey(true); more; ) {
      let entry: [K, V] | undefined;
      if (shown?.add(memory, this.keyOffset) ?? true) {
        const key = decodeKey(memory, this.keyOffset);
        if (this.lookup()) entry = [key, this.#valueDecoder()(memory, this.valueOffset)];
      }
      // The caller may delete this key, upon which the kernel would start over: the next one is asked for before. It may
      // also use the map, so the place is kept outside the slot.
      more = this.nextKey(false);
      if (entry === undefined) continue;
      this.copyKey(next);
      yield entry;
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

  #keyEncoder(): Encoder<K> {
    this.#encodeKey ??= makeEncoder(this.#keyLayout) as Encoder<K>;
    return this.#encodeKey;
  }

  #valueDecoder(): Decoder<V> {
    if (this.#decodeValue === undefined) {
      const one = this.#oneDecoder();
      this.#decodeValue = isPerCpu(this.info.type)
        ? (memory, offset) => this.#perCpu((at) => one(memory, at), offset)
        : (one as Decoder<V>);
    }
    return this.#decodeValue;
  }

  /** Of per-CPU maps one CPU's value. */
  #oneDecoder(): Decoder<unknown> {
    this.#decodeOne ??= makeDecoder(this.#valueLayout, { align: strideAlign(this.valueStride) });
    return this.#decodeOne;
  }

  /** One value for each CPU. */
  #perCpu(one: (offset: number) => unknown, offset: number): V {
    const stride = this.valueStride;
    const values = new Array<unknown>(this.valueBytes / stride);
    for (let cpu = 0; cpu < values.length; cpu++) values[cpu] = one(offset + cpu * stride);
    return values as V;
  }

  /** How a batch is read: by functions for its memory alone, if that comes again. */
  #decodersOf({ memory, shared }: Batch): EntryDecoders<K, V> {
    const known = this.#ofBatches?.get(memory);
    if (known !== undefined) return known;
    const of = <T>(layout: Layout, stride: number, decoder: () => Decoder<T>): ((offset: number) => T) => {
      // A decoder of texts remembers many: one is enough.
      if (shared && !hasText(layout))
        return makeBoundDecoder(layout, memory, { align: strideAlign(stride) }) as (offset: number) => T;
      const decode = decoder();
      return (offset) => decode(memory, offset);
    };
    const key = of(this.#keyLayout, this.info.keySize, () => this.#keyDecoder());
    const one = of(this.#valueLayout, this.valueStride, () => this.#oneDecoder());
    const value = isPerCpu(this.info.type) ? (offset: number) => this.#perCpu(one, offset) : (one as (at: number) => V);
    const decoders = { key, value };
    if (!shared) return decoders;
    this.#ofBatches ??= new WeakMap();
    this.#ofBatches.set(memory, decoders);
    return decoders;
  }
}

const EOPNOTSUPP = 95;

/** The JavaScript type of the values of a map of type `T` with value layout `L`. */
export type ValueOf<T, L> = T extends PerCpuMap ? Infer<L>[] : Infer<L>;

/** Keys and values stand 8-aligned in the slot, but at any multiple of their size in a batch. */
function strideAlign(stride: number): 1 | 2 | 4 | 8 {
  return stride % 8 === 0 ? 8 : stride % 4 === 0 ? 4 : stride % 2 === 0 ? 2 : 1;
}
