import { MachineError } from "../machine-fault.ts";
import { E2BIG, EINVAL } from "./errno.ts";
import { type Entry, KeyedMachineMap } from "./keyed-map.ts";
import type { MapPlace } from "./machine-map.ts";

/** Arrays, also per CPU: all elements are always there. Elements take memory once somebody touches them. */
export class ArrayMachineMap<K = unknown, V = unknown> extends KeyedMachineMap<K, V> {
  readonly #elements: (Entry | undefined)[] = [];

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    super(place);
    const { contents } = place.spec;
    if (contents !== undefined) {
      if (contents.length > this.valueSize)
        throw new MachineError(
          `Map "${this.name}" has values of ${this.valueSize} bytes, and its contents are ${contents.length}.`,
        );
      (this.#element(0).values[0] as Uint8Array).set(contents);
    }
  }

  override get size(): number {
    return this.maxEntries;
  }

  /** Makes the value zero, in a per-CPU map each CPU's; false for a key that there is not. */
  override delete(key: K): boolean {
    const entry = this._find(this.encodeKey(key), false);
    for (const bytes of entry?.values ?? []) bytes.fill(0);
    return entry !== undefined;
  }

  /** @internal */
  override _find(key: Uint8Array, _used: boolean): Entry | undefined {
    const index = this.#indexOf(key);
    return index < this.maxEntries ? this.#element(index) : undefined;
  }

  /** @internal */
  override _put(key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number {
    const entry = this._find(key, false);
    const refused = this.refused(flags, entry !== undefined);
    if (entry === undefined) return refused === EINVAL ? EINVAL : E2BIG;
    if (refused !== 0) return refused;
    this.valueOfCpu(entry, cpu).set(value);
    return 0;
  }

  /** @internal */
  override _remove(_key: Uint8Array): number {
    return EINVAL;
  }

  /** @internal */
  override *_all(): Iterable<Entry> {
    for (let i = 0; i < this.maxEntries; i++) yield this.#element(i);
  }

  /** @internal */
  override _valueAddress(offset: number): bigint | undefined {
    if (this.maxEntries !== 1 || this.perCpu || offset < 0 || offset >= Math.max(1, this.valueSize)) return undefined;
    return this._region(this.#element(0), 0).address + BigInt(offset);
  }

  #element(index: number): Entry {
    let entry = this.#elements[index];
    if (entry === undefined) {
      const key = new Uint8Array(4);
      new DataView(key.buffer).setUint32(0, index, this._place.little);
      entry = this.makeEntry(key);
      this.#elements[index] = entry;
    }
    return entry;
  }

  #indexOf(key: Uint8Array): number {
    return new DataView(key.buffer, key.byteOffset, 4).getUint32(0, this._place.little);
  }
}
