import type { Layout } from "../../../object/codec/index.ts";
import { u32 } from "../../../object/codec/index.ts";
import { isNumbered, isPerCpu } from "../../../object/spec/index.ts";
import { MachineError } from "../machine-fault.ts";
import type { Region } from "../memory/region.ts";
import { E2BIG, EEXIST, EINVAL, ENOENT } from "./errno.ts";
import { Codec, MachineMap, type MapPlace } from "./machine-map.ts";

/** Flags of an update (linux/bpf.h). */
const NOEXIST = 1;
export const EXIST = 2;
const LOCK = 4;

/** One entry: its value, or one for each CPU, and their addresses once a program has seen them. */
export interface Entry {
  readonly key: Uint8Array;
  readonly values: readonly Uint8Array[];
  readonly regions: (Region | undefined)[];
}

/**
 * A map with keys and values: what programs do to it by helpers, people do by `get` and `set`. Keys and values are typed by the
 * layouts of the map's spec or by the object's BTF, and are bytes without either. Per-CPU maps have an array of values.
 */
export abstract class KeyedMachineMap<K = unknown, V = unknown> extends MachineMap {
  readonly #key: Codec<K>;
  readonly #value: Codec<unknown>;
  protected readonly perCpu: boolean;
  /** Values that each entry has. */
  protected readonly copies: number;

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    super(place);
    const { type } = place.spec;
    const key: Layout | undefined = isNumbered(type) ? (place.key ?? u32) : place.key;
    this.#key = new Codec<K>(key, isNumbered(type) ? 4 : this.keySize);
    this.#value = new Codec<unknown>(place.value, this.valueSize);
    this.perCpu = isPerCpu(type);
    this.copies = this.perCpu ? place.cpus : 1;
  }

  /** The value of a key; an array with each CPU's in a per-CPU map; undefined when there is none. */
  get(key: K): V | undefined {
    const entry = this._find(this.#key.encode(key), false);
    return entry === undefined ? undefined : this.#valueOf(entry);
  }

  /** Whether the key has a value. */
  has(key: K): boolean {
    return this._find(this.#key.encode(key), false) !== undefined;
  }

  /**
   * Sets the value of a key; a per-CPU map takes an array with a value for each CPU. Throws MachineError when the map is full or
   * has no such key, CodecError for what does not fit.
   */
  set(key: K, value: V): void {
    const bytes = this.#key.encode(key);
    const values = this.#encodeValues(value);
    const error = this._put(bytes, values[0] as Uint8Array, 0, 0);
    if (error !== 0)
      throw new MachineError(
        error === E2BIG
          ? `Map "${this.name}" has room for ${this.maxEntries} entries, and no more: delete some, or give it a larger maxEntries.`
          : `Map "${this.name}" did not take the value (error ${error}).`,
      );
    const entry = this._find(bytes, false) as Entry;
    for (const [cpu, own] of values.entries()) (entry.values[cpu] as Uint8Array).set(own);
  }

  /** Removes a key; whether it was there. Keys of arrays cannot be removed: their value becomes zero. */
  abstract delete(key: K): boolean;

  /** All entries. Arrays have all their keys, always. */
  *entries(): IterableIterator<[K, V]> {
    for (const entry of this._all()) yield [this.#key.decode(entry.key), this.#valueOf(entry)];
  }

  /** All keys. */
  *keys(): IterableIterator<K> {
    for (const entry of this._all()) yield this.#key.decode(entry.key);
  }

  /** All values. */
  *values(): IterableIterator<V> {
    for (const entry of this._all()) yield this.#valueOf(entry);
  }

  /** All entries as bytes, whatever their types: copies of the key, and of the value of each CPU (of one in other maps). */
  *rawEntries(): IterableIterator<[Uint8Array, Uint8Array[]]> {
    for (const { key, values } of this._all()) yield [key.slice(), values.map((bytes) => bytes.slice())];
  }

  /** As `entries()`. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.entries();
  }

  /** How many entries there are; an array always has `maxEntries`. */
  abstract get size(): number;

  /** @internal The entry of a key; `used` when a program asks. */
  abstract _find(key: Uint8Array, used: boolean): Entry | undefined;
  /** @internal Puts a value in, in a per-CPU map that of one CPU; 0 or −errno. */
  abstract _put(key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number;
  /** @internal Removes a key for a program; 0 or −errno. */
  abstract _remove(key: Uint8Array): number;
  /** @internal */
  abstract _all(): Iterable<Entry>;

  /** @internal Where programs see the value of an entry. */
  _region(entry: Entry, cpu: number): Region {
    const i = this.perCpu ? cpu : 0;
    let region = entry.regions[i];
    if (region === undefined) {
      const { space } = this._place;
      region = space.add("map value", this.name, entry.values[i] as Uint8Array, this._writable);
      entry.regions[i] = region;
    }
    return region;
  }

  protected encodeKey(key: K): Uint8Array {
    return this.#key.encode(key);
  }

  /** The value that programs on a CPU see. */
  protected valueOfCpu(entry: Entry, cpu: number): Uint8Array {
    return entry.values[this.perCpu ? cpu : 0] as Uint8Array;
  }

  protected makeEntry(key: Uint8Array): Entry {
    const values = Array.from({ length: this.copies }, () => new Uint8Array(this.valueSize));
    return { key: key.slice(), values, regions: [] };
  }

  /** Takes the entry's addresses away at the end of the run: until then programs that hold them may use them. */
  protected retire(entry: Entry): void {
    for (const region of entry.regions) if (region !== undefined) this._place.bury(region);
  }

  /** What is wrong with an update's flags, as −errno; 0 when nothing. */
  protected refused(flags: number, exists: boolean): number {
    const known = flags & ~LOCK;
    if (known > EXIST) return EINVAL;
    if (known === NOEXIST && exists) return EEXIST;
    return known === EXIST && !exists ? ENOENT : 0;
  }

  #valueOf(entry: Entry): V {
    const values = entry.values.map((bytes) => this.#value.decode(bytes));
    return (this.perCpu ? values : values[0]) as V;
  }

  #encodeValues(value: V): Uint8Array[] {
    if (!this.perCpu) return [this.#value.encode(value)];
    if (!Array.isArray(value) || value.length !== this.copies)
      throw new RangeError(`Map "${this.name}" has a value for each CPU: give an array of ${this.copies}.`);
    return value.map((own) => this.#value.encode(own));
  }
}
