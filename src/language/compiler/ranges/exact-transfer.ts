import { foldBinary, MASK64, signed } from "../ssa/fold.ts";
import type { BinaryOp, Size } from "../ssa/ir.ts";
import {
  ANY,
  constantRange,
  isConstant,
  max,
  min,
  type Range,
  rangeFrom,
  rangeOfSize,
  SIGNED_MAX,
  SIGNED_MIN,
  settle,
  signedRangeFrom,
  within,
} from "./range.ts";
import { andBits, mulBits, orBits, shlBits, xorBits } from "./tnum.ts";

/**
 * What is true of the result of an operation, as far as intervals and bits can say: also where the kernel does not look. The
 * caller intersects it with what the kernel knows, so only what that leaves out stands here.
 */
export function exactBinary(op: BinaryOp, a: Range, b: Range): Range {
  if (isConstant(a) && isConstant(b)) return constantRange(foldBinary(op, a.bits.value, b.bits.value));
  switch (op) {
    case "mul":
      return mul(a, b);
    case "or": {
      const bits = orBits(a.bits, b.bits);
      return settle(bits, max(a.umin, b.umin), MASK64, SIGNED_MIN, SIGNED_MAX) ?? ANY;
    }
    case "xor":
      return settle(xorBits(a.bits, b.bits), 0n, MASK64, SIGNED_MIN, SIGNED_MAX) ?? ANY;
    case "add":
      return wrapping(a.umin + b.umin, a.umax + b.umax);
    case "sub":
      return wrapping(a.umin - b.umax, a.umax - b.umin);
    case "shl":
      return shl(a, b);
    case "lshr":
      return b.umax < 64n ? rangeFrom(a.umin >> b.umax, a.umax >> b.umin) : rangeFrom(0n, a.umax);
    case "ashr":
      return ashr(a, b);
    case "udiv":
      // What is divided by 0 is 0.
      return rangeFrom(b.umin > 0n ? a.umin / b.umax : 0n, a.umax / max(b.umin, 1n));
    case "umod":
      return umod(a, b);
    case "sdiv":
      return sdiv(a, b);
    case "smod":
      return smod(a, b);
    default:
      return ANY;
  }
}

/** All of `from` to `to`, numbers without bounds, cut to 64 bits: they may wrap around together, or the sign between them. */
function wrapping(from: bigint, to: bigint): Range {
  if (to - from > MASK64) return ANY;
  const low = from & MASK64;
  const high = to & MASK64;
  return low <= high
    ? rangeFrom(low, high)
    : signed(low) <= signed(high)
      ? signedRangeFrom(signed(low), signed(high))
      : ANY;
}

function mul(a: Range, b: Range): Range {
  const bits = mulBits(a.bits, b.bits);
  const umax = a.umax * b.umax;
  if (umax <= MASK64) return settle(bits, a.umin * b.umin, umax, SIGNED_MIN, SIGNED_MAX) ?? ANY;
  const corners = [a.smin * b.smin, a.smin * b.smax, a.smax * b.smin, a.smax * b.smax];
  const smin = corners.reduce(min);
  const smax = corners.reduce(max);
  if (smin < SIGNED_MIN || smax > SIGNED_MAX) return settle(bits, 0n, MASK64, SIGNED_MIN, SIGNED_MAX) ?? ANY;
  return settle(bits, 0n, MASK64, smin, smax) ?? ANY;
}

function shl(a: Range, b: Range): Range {
  if (b.umax > 63n) return ANY;
  const umax = a.umax << b.umax;
  // Shifted by at least so much, that many bits are zero.
  const bits = { value: 0n, mask: shlBits({ value: 0n, mask: MASK64 }, b.umin).mask };
  return umax > MASK64
    ? (settle(bits, 0n, MASK64, SIGNED_MIN, SIGNED_MAX) ?? ANY)
    : (settle(bits, a.umin << b.umin, umax, SIGNED_MIN, SIGNED_MAX) ?? ANY);
}

function ashr(a: Range, b: Range): Range {
  const [least, most] = b.umax < 64n ? [b.umin, b.umax] : [0n, 63n];
  return signedRangeFrom(min(a.smin >> least, a.smin >> most), max(a.smax >> least, a.smax >> most));
}

function umod(a: Range, b: Range): Range {
  // What is taken modulo 0 stays.
  if (b.umin === 0n) return rangeFrom(0n, a.umax);
  return a.umax < b.umin ? a : rangeFrom(0n, min(a.umax, b.umax - 1n));
}

function sdiv(a: Range, b: Range): Range {
  if (a.smin >= 0n && b.smin >= 0n) return exactBinary("udiv", a, b);
  if (!isConstant(b)) return ANY;
  const by = signed(b.bits.value);
  // The least number divided by -1 does not fit.
  if (by === 0n) return constantRange(0n);
  if (by === -1n && a.smin === SIGNED_MIN) return ANY;
  const x = a.smin / by;
  const y = a.smax / by;
  return signedRangeFrom(min(x, y), max(x, y));
}

function smod(a: Range, b: Range): Range {
  if (!isConstant(b)) return a.smin >= 0n ? rangeFrom(0n, a.umax) : ANY;
  const by = signed(b.bits.value);
  if (by === 0n) return a;
  const most = (by < 0n ? -by : by) - 1n;
  // The sign is that of the dividend.
  if (a.smin >= -most && a.smax <= most) return a;
  return signedRangeFrom(a.smin >= 0n ? 0n : max(a.smin, -most), a.smax <= 0n ? 0n : min(a.smax, most));
}

export function exactNeg(a: Range): Range {
  return a.smin === SIGNED_MIN ? ANY : signedRangeFrom(-a.smax, -a.smin);
}

export function exactZext(a: Range, size: Size): Range {
  const all = rangeOfSize(size, false);
  if (within(a, all)) return a;
  // What is above is the same throughout: the low part keeps its order.
  if (a.umin >> BigInt(size * 8) === a.umax >> BigInt(size * 8)) return rangeFrom(a.umin & all.umax, a.umax & all.umax);
  return settle(andBits(a.bits, { value: all.umax, mask: 0n }), 0n, all.umax, 0n, all.umax) ?? all;
}

export function exactSext(a: Range, size: Size): Range {
  const all = rangeOfSize(size, true);
  if (within(a, all)) return a;
  // Numbers that differ in the low bytes only, and not in their sign there.
  const low = BigInt(size * 8);
  if (a.umin >> (low - 1n) === a.umax >> (low - 1n))
    return signedRangeFrom(BigInt.asIntN(size * 8, a.umin), BigInt.asIntN(size * 8, a.umax));
  return all;
}
