import type { Memory } from "./memory.ts";

const SLOTS = 1024;
/** After this many reads the hit rate is looked at. A hit saves ~38 ns, a miss costs ~45: below 55 % it does not pay. */
const WINDOW = 4096;
const WORTHWHILE = 0.55;
/** How many reads to do without the cache before it gets another chance. */
const PAUSE = 1 << 18;

/**
 * Reads one `char[N]` field, giving back the same string object for the same bytes. Kernel events repeat a few names
 * over and over, and finding a known string by its words is four times cheaper than decoding it anew.
 * Fields that never repeat switch the cache off for a while by themselves.
 */
export class StringInterner {
  readonly size: number;
  readonly #wordCount: number;
  readonly #keys: Int32Array;
  readonly #used = new Uint8Array(SLOTS);
  readonly #strings: string[] = new Array<string>(SLOTS).fill("");
  #left = WINDOW;
  #misses = 0;
  #off = false;

  constructor(size: number) {
    this.size = size;
    // Longer fields are compared by their first 252 bytes of words only when they end there; else they are not interned.
    this.#wordCount = Math.min(size >> 2, 63);
    this.#keys = new Int32Array(SLOTS * this.#wordCount);
  }

  /** The text at byte `offset`, which must be a multiple of 4. */
  read(memory: Memory, offset: number): string {
    if (--this.#left === 0) this.#judge();
    if (this.#off) return readText(memory, offset, this.size);
    const words = memory.i32;
    const start = offset >>> 2;
    const count = this.#wordCount;
    let hash = 0;
    let n = 0;
    let ended = 0;
    do {
      const word = words[start + n] as number;
      hash = Math.imul(hash ^ word, 0x9e3779b1);
      hash ^= hash >>> 15;
      ended = (word - 0x01010101) & ~word & 0x80808080;
      n++;
    } while (ended === 0 && n < count);
    // A string that fills the field counts as ended too; one longer than the words we keep does not.
    if (ended === 0 && this.size > n * 4) {
      this.#misses++;
      return readText(memory, offset, this.size);
    }
    const slot = hash & (SLOTS - 1);
    const key = slot * count;
    const keys = this.#keys;
    if (this.#used[slot] === n) {
      let i = 0;
      while (i < n && keys[key + i] === words[start + i]) i++;
      if (i === n) return this.#strings[slot] as string;
    }
    this.#misses++;
    const text = readText(memory, offset, this.size);
    for (let i = 0; i < n; i++) keys[key + i] = words[start + i] as number;
    this.#used[slot] = n;
    this.#strings[slot] = text;
    return text;
  }

  #judge(): void {
    this.#off = !this.#off && this.#misses > WINDOW * (1 - WORTHWHILE);
    this.#left = this.#off ? PAUSE : WINDOW;
    this.#misses = 0;
  }
}

/** The text of a NUL-terminated field, uncached. Bytes that are not UTF-8 become U+FFFD. */
export function readText(memory: Memory, offset: number, size: number): string {
  const bytes = memory.u8;
  const limit = offset + size;
  let end = offset;
  while (end < limit && bytes[end] !== 0) end++;
  return memory.text.utf8Slice(offset, end);
}
