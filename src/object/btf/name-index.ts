import { essentialName } from "./essential-name.ts";

/** So many names are searched for one by one; then all are indexed, in some milliseconds for those of a kernel. */
const PATIENCE = 4;
const UNDERSCORE = 0x5f;
const encoder = new TextEncoder();

/**
 * Finds the strings of a table by their text, whatever flavour it ends in. Most readers ask for one or two of a kernel's
 * hundred thousand names: those are searched for in the bytes; who asks for more gets an index of hashes.
 */
export class NameIndex {
  readonly #table: Uint8Array;
  /** Whether the table goes on from another's: its first string has no NUL before it. */
  readonly #split: boolean;
  #searches = 0;
  #heads: Int32Array | undefined;
  #next: Int32Array = new Int32Array(0);
  #places: Uint32Array = new Uint32Array(0);

  constructor(table: Uint8Array, split: boolean) {
    this.#table = table;
    this.#split = split;
  }

  /** Where strings begin whose essential name may be `name` (see essential-name.ts); the caller compares the texts. */
  candidates(name: string): number[] {
    if (this.#isToSearch()) return [...this.#search(name)];
    return this.#lookUp(encoder.encode(name));
  }

  /** Where strings of exactly this text begin. */
  exact(name: string): number[] {
    const isIt = this.#isText(name);
    if (this.#isToSearch()) return [...this.#search(name)].filter(isIt);
    return this.#lookUp(encoder.encode(essentialName(name))).filter(isIt);
  }

  /** The first of them. */
  first(name: string): number | undefined {
    if (!this.#isToSearch()) return this.exact(name)[0];
    const isIt = this.#isText(name);
    for (const at of this.#search(name)) if (isIt(at)) return at;
    return undefined;
  }

  /** Whether to search this time; counts. */
  #isToSearch(): boolean {
    return this.#heads === undefined && this.#searches++ < PATIENCE;
  }

  #isText(name: string): (at: number) => boolean {
    const text = encoder.encode(name);
    return (at) => {
      for (let i = 0; i < text.length; i++) if (this.#table[at + i] !== text[i]) return false;
      return this.#table[at + text.length] === 0;
    };
  }

  *#search(name: string): IterableIterator<number> {
    const text = encoder.encode(name);
    const needle = new Uint8Array(text.length + 1);
    needle.set(text, 1);
    const mayBe = (at: number) => {
      const behind = this.#table[at + text.length];
      return behind === 0 || behind === UNDERSCORE;
    };
    if (this.#split && startsWith(this.#table, text) && mayBe(0)) yield 0;
    for (let at = indexOf(this.#table, needle, 0); at >= 0; at = indexOf(this.#table, needle, at + 1))
      if (mayBe(at + 1)) yield at + 1;
  }

  #lookUp(text: Uint8Array): number[] {
    const heads = this.#heads ?? this.#build();
    let hash = 0;
    for (const byte of text) hash = Math.imul(hash ^ byte, 0x01000193);
    const found: number[] = [];
    for (let one = heads[spread(hash) & (heads.length - 1)] as number; one >= 0; one = this.#next[one] as number)
      found.push(this.#places[one] as number);
    return found.reverse();
  }

  /** One pass over the bytes: each string is filed under the hash of its essential name. */
  #build(): Int32Array {
    const table = this.#table;
    let size = 16;
    while (size < table.length / 16) size *= 2;
    const heads = new Int32Array(size).fill(-1);
    let room = Math.ceil(table.length / 12) + 16;
    let next = new Int32Array(room);
    let places = new Uint32Array(room);
    let count = 0;
    for (let at = 0; at < table.length; ) {
      const start = at;
      let hash = 0;
      let essential = 0;
      let hasFlavour = false;
      // How many underscores stand before this byte, and the hash before the first of them.
      let run = 0;
      let before = 0;
      for (let byte = table[at] as number; byte !== 0; byte = table[++at] as number) {
        if (byte === UNDERSCORE) {
          if (run++ === 0) before = hash;
        } else {
          if (run === 3 && at - 3 > start) {
            essential = before;
            hasFlavour = true;
          }
          run = 0;
        }
        hash = Math.imul(hash ^ byte, 0x01000193);
      }
      if (count === room) {
        room *= 2;
        const wider = new Int32Array(room);
        wider.set(next);
        next = wider;
        const more = new Uint32Array(room);
        more.set(places);
        places = more;
      }
      const slot = spread(hasFlavour ? essential : hash) & (size - 1);
      places[count] = start;
      next[count] = heads[slot] as number;
      heads[slot] = count++;
      at++;
    }
    this.#next = next;
    this.#places = places;
    this.#heads = heads;
    return heads;
  }
}

function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function startsWith(table: Uint8Array, text: Uint8Array): boolean {
  return text.every((byte, i) => table[i] === byte);
}

/** Node's own search where there is one (some hundred times a loop's speed), a plain search elsewhere. */
function indexOf(haystack: Uint8Array, needle: Uint8Array, from: number): number {
  const { Buffer } = globalThis as { Buffer?: typeof globalThis.Buffer };
  if (Buffer !== undefined)
    return Buffer.from(haystack.buffer, haystack.byteOffset, haystack.byteLength).indexOf(needle, from);
  for (let at = haystack.indexOf(0, from); at >= 0; at = haystack.indexOf(0, at + 1)) {
    if (needle.every((byte, i) => haystack[at + i] === byte)) return at;
  }
  return -1;
}
