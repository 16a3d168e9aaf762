/** Sets of small numbers, 32 to a word. */

export function newBits(count: number): Uint32Array {
  return new Uint32Array((count + 31) >>> 5);
}

export function hasBit(bits: Uint32Array, n: number): boolean {
  return ((bits[n >>> 5] as number) & (1 << (n & 31))) !== 0;
}

export function setBit(bits: Uint32Array, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] as number) | (1 << (n & 31));
}

export function clearBit(bits: Uint32Array, n: number): void {
  bits[n >>> 5] = (bits[n >>> 5] as number) & ~(1 << (n & 31));
}

/** Adds what is in `from` and not in `except`; whether anything was new. */
export function addBits(bits: Uint32Array, from: Uint32Array, except?: Uint32Array): boolean {
  let changed = false;
  for (let w = 0; w < bits.length; w++) {
    const before = bits[w] as number;
    const after = (before | ((from[w] as number) & ~(except === undefined ? 0 : (except[w] as number)))) >>> 0;
    if (after !== before) {
      bits[w] = after;
      changed = true;
    }
  }
  return changed;
}

/** The numbers in it, ascending. */
export function forEachBit(bits: Uint32Array, visit: (n: number) => void): void {
  for (let i = 0; i < bits.length; i++) {
    let word = bits[i] as number;
    while (word !== 0) {
      const bit = 31 - Math.clz32(word & -word);
      visit((i << 5) | bit);
      word &= word - 1;
    }
  }
}
