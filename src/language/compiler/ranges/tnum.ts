import { MASK64, signed, unsigned } from "../ssa/fold.ts";

/**
 * What is known of a number bit by bit, as the kernel tracks it (kernel/bpf/tnum.c): bits of `mask` are unknown, the others are as in
 * `value`, which is 0 where `mask` is 1.
 */
export interface Tnum {
  readonly value: bigint;
  readonly mask: bigint;
}

export const ANY_BITS: Tnum = { value: 0n, mask: MASK64 };

export function constantBits(value: bigint): Tnum {
  return { value, mask: 0n };
}

/** The bits that all of `min` to `max` have in common, at the top. */
export function bitsOfRange(min: bigint, max: bigint): Tnum {
  const delta = belowTop(min ^ max);
  return { value: min & ~delta & MASK64, mask: delta };
}

/** All bits up to the highest that is set. */
function belowTop(bits: bigint): bigint {
  if (bits <= 0xffff_ffffn) {
    const low = Number(bits);
    return low === 0 ? 0n : BigInt(2 ** (32 - Math.clz32(low)) - 1);
  }
  return (1n << BigInt(bits.toString(2).length)) - 1n;
}

/** The least number with these bits from `min` on; undefined when there is none. */
export function leastWith({ value, mask }: Tnum, min: bigint): bigint | undefined {
  const wrong = (min ^ value) & ~mask & MASK64;
  if (wrong === 0n) return min;
  // Behind the highest bit that is wrong everything is as small as can be, when that bit is to be set; else a bit before it is set.
  const top = belowTop(wrong);
  if ((value & top & ~(top >> 1n)) !== 0n) return (min & ~top) | (value & top);
  const free = mask & ~min & ~top & MASK64;
  if (free === 0n) return undefined;
  const bit = free & -free;
  return (min & ~(bit - 1n)) | bit | (value & (bit - 1n));
}

/** The greatest number with these bits up to `max`; undefined when there is none. */
export function greatestWith({ value, mask }: Tnum, max: bigint): bigint | undefined {
  const least = leastWith({ value: ~(value | mask) & MASK64, mask }, ~max & MASK64);
  return least === undefined ? undefined : ~least & MASK64;
}

export function addBits(a: Tnum, b: Tnum): Tnum {
  const masks = (a.mask + b.mask) & MASK64;
  const values = (a.value + b.value) & MASK64;
  // Where a carry may or may not come.
  const mask = (((masks + values) & MASK64) ^ values) | a.mask | b.mask;
  return { value: values & ~mask & MASK64, mask };
}

export function subBits(a: Tnum, b: Tnum): Tnum {
  const difference = (a.value - b.value) & MASK64;
  const most = (difference + a.mask) & MASK64;
  const least = (difference - b.mask) & MASK64;
  const mask = (most ^ least) | a.mask | b.mask;
  return { value: difference & ~mask & MASK64, mask };
}

export function andBits(a: Tnum, b: Tnum): Tnum {
  const value = a.value & b.value;
  return { value, mask: (a.value | a.mask) & (b.value | b.mask) & ~value };
}

export function orBits(a: Tnum, b: Tnum): Tnum {
  const value = a.value | b.value;
  return { value, mask: (a.mask | b.mask) & ~value };
}

export function xorBits(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask;
  return { value: (a.value ^ b.value) & ~mask, mask };
}

/**
 * The product: only how many zeros it ends in. The kernel's own multiplication has changed twice and knows more; each of its forms
 * knows this.
 */
export function mulBits(a: Tnum, b: Tnum): Tnum {
  if (a.mask === 0n && b.mask === 0n) return constantBits((a.value * b.value) & MASK64);
  const low = lowest(a.value | a.mask) * lowest(b.value | b.mask);
  return low === 0n ? constantBits(0n) : { value: 0n, mask: ~(low - 1n) & MASK64 };
}

/** The lowest bit that is set; 0 when none is. */
function lowest(bits: bigint): bigint {
  return bits & -bits;
}

export function shlBits(a: Tnum, count: bigint): Tnum {
  return { value: (a.value << count) & MASK64, mask: (a.mask << count) & MASK64 };
}

export function lshrBits(a: Tnum, count: bigint): Tnum {
  return { value: a.value >> count, mask: a.mask >> count };
}

export function ashrBits(a: Tnum, count: bigint): Tnum {
  return { value: unsigned(signed(a.value) >> count), mask: unsigned(signed(a.mask) >> count) };
}

/** What both say; undefined when they contradict each other. */
export function intersectBits(a: Tnum, b: Tnum): Tnum | undefined {
  const value = a.value | b.value;
  const mask = a.mask & b.mask;
  // A bit that the one knows to be 1 and the other to be 0.
  if (((a.value ^ b.value) & ~a.mask & ~b.mask) !== 0n) return undefined;
  return { value: value & ~mask, mask };
}

/** What is common to both. */
export function joinBits(a: Tnum, b: Tnum): Tnum {
  const mask = a.mask | b.mask | (a.value ^ b.value);
  return { value: a.value & ~mask & MASK64, mask };
}

export function hasBits(bits: Tnum, value: bigint): boolean {
  return (value & ~bits.mask & MASK64) === bits.value;
}
