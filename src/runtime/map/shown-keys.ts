import type { Memory } from "../../object/codec/index.ts";
import type { MapInfo } from "./bpf-map.ts";
import { MapChangedError } from "./map-error.ts";

/** How often the kernel may start over before reading key by key is given up. */
const MOST_STARTS = 10;

/**
 * Keys that were seen, as their bytes: a table of open addresses with all keys in one array, so that reading a map key by
 * key costs a few nanoseconds more for knowing them, and no garbage.
 */
class KeySet {
  readonly #keySize: number;
  readonly #words: number;
  #keys: Uint32Array;
  /** One more than the number of the key that stands there; 0 for none. */
  #table: Uint32Array;
  #count = 0;

  constructor(keySize: number) {
    this.#keySize = keySize;
    this.#words = Math.ceil(keySize / 4);
    this.#keys = new Uint32Array(256 * this.#words);
    this.#table = new Uint32Array(512);
  }

  /** Adds the key at a place (a multiple of 4) of a memory; false when it is there already. */
  add(memory: Memory, offset: number): boolean {
    const words = this.#words;
    if ((this.#count + 1) * words > this.#keys.length) this.#grow();
    const keys = this.#keys;
    const at = this.#count * words;
    for (let i = 0; i < words; i++) keys[at + i] = memory.u32[(offset >>> 2) + i] as number;
    // What follows the key in its last word is not its own.
    const rest = this.#keySize & 3;
    if (rest !== 0) keys[at + words - 1] = (keys[at + words - 1] as number) & ((1 << (rest * 8)) - 1);
    const mask = this.#table.length - 1;
    for (let place = this.#hash(at) & mask; ; place = (place + 1) & mask) {
      const there = this.#table[place] as number;
      if (there === 0) {
        this.#table[place] = ++this.#count;
        return true;
      }
      if (this.#isSame((there - 1) * words, at)) return false;
    }
  }

  #isSame(a: number, b: number): boolean {
    for (let i = 0; i < this.#words; i++) if (this.#keys[a + i] !== this.#keys[b + i]) return false;
    return true;
  }

  #hash(at: number): number {
    let hash = 0x9e3779b9;
    for (let i = 0; i < this.#words; i++) {
      hash = Math.imul(hash ^ (this.#keys[at + i] as number), 0x85ebca6b);
      hash ^= hash >>> 15;
    }
    hash = Math.imul(hash, 0xc2b2ae35);
    return (hash ^ (hash >>> 16)) >>> 0;
  }

  #grow(): void {
    const keys = new Uint32Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    const table = new Uint32Array(this.#table.length * 2);
    const mask = table.length - 1;
    for (let key = 0; key < this.#count; key++) {
      let place = this.#hash(key * this.#words) & mask;
      while (table[place] !== 0) place = (place + 1) & mask;
      table[place] = key + 1;
    }
    this.#table = table;
  }
}

/** The keys that a walk through a map has shown: the kernel starts over when the key it stands at is deleted. */
export class ShownKeys {
  readonly #map: { readonly name: string; readonly info: MapInfo };
  readonly #keys: KeySet;
  #again = 0;

  constructor(map: { readonly name: string; readonly info: MapInfo }) {
    this.#map = map;
    this.#keys = new KeySet(map.info.keySize);
  }

  /** False for a key that was shown before. Throws MapChangedError when that goes on and on. */
  add(memory: Memory, offset: number): boolean {
    if (this.#keys.add(memory, offset)) return true;
    if (++this.#again > MOST_STARTS * Math.max(100, this.#map.info.maxEntries))
      throw new MapChangedError(this.#map.name);
    return false;
  }
}
