import { MASK64, signed, unsigned } from "../ssa/fold.ts";
import type { Size } from "../ssa/ir.ts";
import { ANY_BITS, bitsOfRange, constantBits, hasBits, intersectBits, joinBits, type Tnum } from "./tnum.ts";

export const SIGNED_MIN = -0x8000_0000_0000_0000n;
export const SIGNED_MAX = 0x7fff_ffff_ffff_ffffn;

/**
 * What a 64-bit value may be: its bits, its least and greatest as an unsigned and as a signed number; all of it holds. This is
 * the kernel's lattice (struct bpf_reg_state) but for the bounds of the low 32 bits, which it keeps beside: our values are 64
 * bits wide and compared as such, so those would only ever repeat what these say.
 */
export interface Range {
  readonly bits: Tnum;
  readonly umin: bigint;
  readonly umax: bigint;
  readonly smin: bigint;
  readonly smax: bigint;
}

export const ANY: Range = { bits: ANY_BITS, umin: 0n, umax: MASK64, smin: SIGNED_MIN, smax: SIGNED_MAX };

const SMALL: Range[] = [];
for (let i = 0n; i <= 64n; i++) SMALL.push({ bits: constantBits(i), umin: i, umax: i, smin: i, smax: i });

export function constantRange(value: bigint): Range {
  if (value <= 64n) return SMALL[Number(value)]!;
  const s = signed(value);
  return { bits: constantBits(value), umin: value, umax: value, smin: s, smax: s };
}

export function isConstant(range: Range): boolean {
  return range.bits.mask === 0n;
}

function ofSize(bits: bigint): Range {
  const max = (1n << bits) - 1n;
  return { bits: { value: 0n, mask: max }, umin: 0n, umax: max, smin: 0n, smax: max };
}
const ZERO_EXTENDED: Readonly<Record<Size, Range>> = { 1: ofSize(8n), 2: ofSize(16n), 4: ofSize(32n), 8: ANY };

function ofSigned(bits: bigint): Range {
  const half = 1n << (bits - 1n);
  return { bits: ANY_BITS, umin: 0n, umax: MASK64, smin: -half, smax: half - 1n };
}
const SIGN_EXTENDED: Readonly<Record<Size, Range>> = { 1: ofSigned(8n), 2: ofSigned(16n), 4: ofSigned(32n), 8: ANY };

/** All that `size` bytes hold, zero or sign extended. */
export function rangeOfSize(size: Size, isSigned: boolean): Range {
  return (isSigned ? SIGN_EXTENDED : ZERO_EXTENDED)[size];
}

/** All of `min` to `max`, unsigned. */
export function rangeFrom(min: bigint, max: bigint): Range {
  return settle(bitsOfRange(min, max), min, max, SIGNED_MIN, SIGNED_MAX) ?? ANY;
}

/** All of `min` to `max`, signed. */
export function signedRangeFrom(min: bigint, max: bigint): Range {
  return settle(ANY_BITS, 0n, MASK64, min, max) ?? ANY;
}

/**
 * Lets each part tell the others what it knows, in the order and to the extent that all kernels since 5.10 do
 * (__update_reg_bounds, __reg_deduce_bounds, __reg_bound_offset). Undefined when they contradict each other: no such number.
 */
export function settle(bits: Tnum, umin: bigint, umax: bigint, smin: bigint, smax: bigint): Range | undefined {
  const { value, mask } = bits;
  const high = value | mask;
  if (value > umin) umin = value;
  if (high < umax) umax = high;
  const sign = 1n << 63n;
  if (mask < sign) {
    // The sign is known.
    const least = signed(value);
    const most = signed(high);
    if (least > smin) smin = least;
    if (most < smax) smax = most;
  } else {
    const least = signed(value | sign);
    const most = high & SIGNED_MAX;
    if (least > smin) smin = least;
    if (most < smax) smax = most;
  }
  if (umin > umax || smin > smax) return undefined;
  if (smin >= 0n || smax < 0n) {
    const least = unsigned(smin);
    const most = unsigned(smax);
    if (least > umin) umin = least;
    if (most < umax) umax = most;
    if (umin > umax) return undefined;
    smin = signed(umin);
    smax = signed(umax);
  } else if (umax < sign) {
    smin = umin;
    if (smax < umax) umax = smax;
    smax = umax;
  } else if (umin >= sign) {
    const least = unsigned(smin);
    if (least > umin) umin = least;
    smin = signed(umin);
    smax = signed(umax);
  }
  if (umin > umax || smin > smax) return undefined;
  if (mask !== 0n) {
    const common = intersectBits(bits, bitsOfRange(umin, umax));
    if (common === undefined) return undefined;
    // Bits alone that make it one number are left out: the kernel does not tell the bounds any more, and trusts neither then.
    if (common.mask === mask || (common.mask === 0n && umin !== umax)) return { bits, umin, umax, smin, smax };
    return { bits: common, umin, umax, smin, smax };
  }
  return value === umin ? { bits, umin, umax, smin, smax } : undefined;
}

/** What both allow; undefined when nothing. */
export function intersect(a: Range, b: Range): Range | undefined {
  if (a === b || b === ANY) return a;
  if (a === ANY) return b;
  const bits = intersectBits(a.bits, b.bits);
  if (bits === undefined) return undefined;
  return settle(bits, max(a.umin, b.umin), min(a.umax, b.umax), max(a.smin, b.smin), min(a.smax, b.smax));
}

/** What either allows. */
export function join(a: Range, b: Range): Range {
  if (a === b) return a;
  return {
    bits: joinBits(a.bits, b.bits),
    umin: min(a.umin, b.umin),
    umax: max(a.umax, b.umax),
    smin: min(a.smin, b.smin),
    smax: max(a.smax, b.smax),
  };
}

/** Whether `a` allows no more than `b`. */
export function within(a: Range, b: Range): boolean {
  if (a === b) return true;
  return (
    a.umin >= b.umin &&
    a.umax <= b.umax &&
    a.smin >= b.smin &&
    a.smax <= b.smax &&
    (a.bits.mask & ~b.bits.mask) === 0n &&
    hasBits(b.bits, a.bits.value)
  );
}

export function equal(a: Range, b: Range): boolean {
  return (
    a === b ||
    (a.umin === b.umin &&
      a.umax === b.umax &&
      a.smin === b.smin &&
      a.smax === b.smax &&
      a.bits.mask === b.bits.mask &&
      a.bits.value === b.bits.value)
  );
}

/** Whether the value (64 bits, unsigned) is one of them. */
export function contains(range: Range, value: bigint): boolean {
  const s = signed(value);
  return value >= range.umin && value <= range.umax && s >= range.smin && s <= range.smax && hasBits(range.bits, value);
}

/** For people, in decimal: as a signed number where that says more. */
export function rangeText(range: Range): string {
  if (range.umin === range.umax) return range.smin < 0n ? `${range.smin}` : `${range.umin}`;
  return range.smin < 0n && range.smax - range.smin < range.umax - range.umin
    ? `${range.smin}..${range.smax}`
    : `${range.umin}..${range.umax}`;
}

export function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

export function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
