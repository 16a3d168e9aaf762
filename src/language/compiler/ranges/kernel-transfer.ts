import { MASK64 } from "../ssa/fold.ts";
import type { BinaryOp, Size } from "../ssa/ir.ts";
import { ANY, isConstant, max, min, type Range, rangeOfSize, SIGNED_MAX, SIGNED_MIN, settle } from "./range.ts";
import { addBits, andBits, ashrBits, lshrBits, mulBits, orBits, shlBits, subBits, type Tnum, xorBits } from "./tnum.ts";

/**
 * What every kernel since 5.10 knows of the result of an operation (adjust_scalar_min_max_vals): where kernels differ, what the
 * least of them does. So nothing is taken for proven that some kernel would not see. Of quotients, remainders, negation and
 * reversed bytes old kernels know nothing; of products, shifts, `|` and `^` only when the right operand is constant.
 */
export function kernelBinary(op: BinaryOp, a: Range, b: Range): Range {
  switch (op) {
    case "add":
      return add(a, b);
    case "sub":
      return sub(a, b);
    case "and":
      return and(a, b);
    case "or":
      return isConstant(b) ? or(a, b) : ANY;
    case "xor":
      return isConstant(b) ? xor(a, b) : ANY;
    case "mul":
      return isConstant(b) ? mul(a, b) : ANY;
    case "shl":
      return isConstant(b) && b.umax < 64n ? shl(a, b.umax) : ANY;
    case "lshr":
      return isConstant(b) && b.umax < 64n ? lshr(a, b.umax) : ANY;
    case "ashr":
      return isConstant(b) && b.umax < 64n ? ashr(a, b.umax) : ANY;
    default:
      return ANY;
  }
}

/** The low `size` bytes, zero extended: by a mask or a 32-bit move. */
export function kernelZext(a: Range, size: Size): Range {
  if (size === 8) return a;
  const all = rangeOfSize(size, false);
  const bits = andBits(a.bits, { value: all.umax, mask: 0n });
  return made(bits, bits.value, min(a.umax, all.umax), 0n, all.umax);
}

/** What comes of the parts; contradicting ones (of code that is never reached) say nothing. */
function made(bits: Tnum, umin: bigint, umax: bigint, smin: bigint, smax: bigint): Range {
  return settle(bits, umin, umax, smin, smax) ?? ANY;
}

function add(a: Range, b: Range): Range {
  let smin = a.smin + b.smin;
  let smax = a.smax + b.smax;
  if (smin < SIGNED_MIN || smax > SIGNED_MAX || smin > SIGNED_MAX || smax < SIGNED_MIN) {
    smin = SIGNED_MIN;
    smax = SIGNED_MAX;
  }
  let umin = a.umin + b.umin;
  let umax = a.umax + b.umax;
  if (umax > MASK64) {
    umin = 0n;
    umax = MASK64;
  }
  return made(addBits(a.bits, b.bits), umin, umax, smin, smax);
}

function sub(a: Range, b: Range): Range {
  let smin = a.smin - b.smax;
  let smax = a.smax - b.smin;
  if (smin < SIGNED_MIN || smax > SIGNED_MAX || smin > SIGNED_MAX || smax < SIGNED_MIN) {
    smin = SIGNED_MIN;
    smax = SIGNED_MAX;
  }
  let umin = a.umin - b.umax;
  let umax = a.umax - b.umin;
  if (umin < 0n) {
    umin = 0n;
    umax = MASK64;
  }
  return made(subBits(a.bits, b.bits), umin, umax, smin, smax);
}

function and(a: Range, b: Range): Range {
  const bits = andBits(a.bits, b.bits);
  const umax = min(a.umax, b.umax);
  const negative = a.smin < 0n || b.smin < 0n;
  return made(bits, bits.value, umax, negative ? SIGNED_MIN : bits.value, negative ? SIGNED_MAX : umax);
}

function or(a: Range, b: Range): Range {
  const bits = orBits(a.bits, b.bits);
  const umin = max(a.umin, b.umin);
  const umax = bits.value | bits.mask;
  const negative = a.smin < 0n || b.smin < 0n;
  return made(bits, umin, umax, negative ? SIGNED_MIN : umin, negative ? SIGNED_MAX : umax);
}

function xor(a: Range, b: Range): Range {
  const bits = xorBits(a.bits, b.bits);
  return made(bits, bits.value, bits.value | bits.mask, SIGNED_MIN, SIGNED_MAX);
}

function mul(a: Range, b: Range): Range {
  const bits = mulBits(a.bits, b.bits);
  // Signs, and what may overflow, are not multiplied.
  if (a.smin < 0n || b.smin < 0n || a.umax > 0xffff_ffffn || b.umax > 0xffff_ffffn)
    return made(bits, 0n, MASK64, SIGNED_MIN, SIGNED_MAX);
  const umax = a.umax * b.umax;
  const unsignedOnly = umax > SIGNED_MAX;
  const umin = a.umin * b.umin;
  return made(bits, umin, umax, unsignedOnly ? SIGNED_MIN : umin, unsignedOnly ? SIGNED_MAX : umax);
}

function shl(a: Range, count: bigint): Range {
  const bits = shlBits(a.bits, count);
  // The kernel is a bit more careful than it needs to be.
  if (a.umax > 1n << (63n - count)) return made(bits, 0n, MASK64, SIGNED_MIN, SIGNED_MAX);
  return made(bits, a.umin << count, a.umax << count, SIGNED_MIN, SIGNED_MAX);
}

function lshr(a: Range, count: bigint): Range {
  return made(lshrBits(a.bits, count), a.umin >> count, a.umax >> count, SIGNED_MIN, SIGNED_MAX);
}

function ashr(a: Range, count: bigint): Range {
  return made(ashrBits(a.bits, count), 0n, MASK64, a.smin >> count, a.smax >> count);
}
