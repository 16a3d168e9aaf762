import { E2BIG, ENOENT } from "./errno.ts";
import { type Entry, KeyedMachineMap } from "./keyed-map.ts";
import type { MapPlace } from "./machine-map.ts";

/**
 * Hash maps, also per CPU and LRU. A full LRU map drops the entry that was used longest ago; the kernel drops one of those that
 * were not used lately.
 */
export class HashMachineMap<K = unknown, V = unknown> extends KeyedMachineMap<K, V> {
  readonly #entries = new Map<string | number, Entry>();
  readonly #lru: boolean;

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    super(place);
    this.#lru = place.spec.type.startsWith("lru_");
  }

  override get size(): number {
    return this.#entries.size;
  }

  /** Removes a key; whether it was there. */
  override delete(key: K): boolean {
    return this._remove(this.encodeKey(key)) === 0;
  }

  /** Removes all entries. */
  clear(): void {
    for (const entry of this.#entries.values()) this.retire(entry);
    this.#entries.clear();
  }

  /** @internal */
  override _find(key: Uint8Array, used: boolean): Entry | undefined {
    const name = nameOf(key);
    const entry = this.#entries.get(name);
    if (entry !== undefined && used && this.#lru) {
      this.#entries.delete(name);
      this.#entries.set(name, entry);
    }
    return entry;
  }

  /** @internal */
  override _put(key: Uint8Array, value: Uint8Array, flags: number, cpu: number): number {
    const name = nameOf(key);
    const old = this.#entries.get(name);
    const refused = this.refused(flags, old !== undefined);
    if (refused !== 0) return refused;
    if (old !== undefined && this.perCpu) {
      this.valueOfCpu(old, cpu).set(value);
      return 0;
    }
    if (old !== undefined) {
      // A new element takes the old one's place: who holds the old one sees the old value.
      this.retire(old);
      this.#entries.delete(name);
    } else if (this.#entries.size >= this.maxEntries) {
      if (!this.#lru) return E2BIG;
      const [oldest] = this.#entries;
      if (oldest !== undefined) {
        this.retire(oldest[1]);
        this.#entries.delete(oldest[0]);
      }
    }
    const entry = this.makeEntry(key);
    this.valueOfCpu(entry, cpu).set(value);
    this.#entries.set(name, entry);
    return 0;
  }

  /** @internal */
  override _remove(key: Uint8Array): number {
    const name = nameOf(key);
    const entry = this.#entries.get(name);
    if (entry === undefined) return ENOENT;
    this.retire(entry);
    this.#entries.delete(name);
    return 0;
  }

  /** @internal */
  override _all(): Iterable<Entry> {
    return [...this.#entries.values()];
  }
}

/** Keys as JavaScript compares them: by value. */
function nameOf(key: Uint8Array): string | number {
  if (key.length === 4)
    return (
      ((key[0] as number) | ((key[1] as number) << 8) | ((key[2] as number) << 16) | ((key[3] as number) << 24)) >>> 0
    );
  let name = "";
  for (let i = 0; i < key.length; i++) name += String.fromCharCode(key[i] as number);
  return name;
}
