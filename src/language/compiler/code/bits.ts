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
