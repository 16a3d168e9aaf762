import { foldCondition, MASK64, negate, signed } from "../ssa/fold.ts";
import type { Condition } from "../ssa/ir.ts";
import { constantRange, contains, intersect, isConstant, max, min, type Range, settle } from "./range.ts";
import { greatestWith, intersectBits, leastWith } from "./tnum.ts";

/**
 * What the kernel learns of `a` where `a condition c` holds (or does not: `holds`) for a constant `c` (reg_set_min_max). That a
 * value differs from a constant tells it nothing; undefined when it cannot be.
 */
export function kernelRefine(a: Range, condition: Condition, c: bigint, holds: boolean): Range | undefined {
  if (condition === "set") return refineBits(a, c, holds);
  const known = holds ? condition : negate(condition)!;
  if (known === "eq") return contains(a, c) ? constantRange(c) : undefined;
  if (known === "ne") return isConstant(a) && a.bits.value === c ? undefined : a;
  return bounded(a, known, constantRange(c));
}

/** `a` by the bounds of a `b` that it is less or greater than. */
function bounded(a: Range, condition: Condition, b: Range): Range | undefined {
  let { umin, umax, smin, smax } = a;
  switch (condition) {
    case "ult":
      umax = min(umax, b.umax - 1n);
      break;
    case "ule":
      umax = min(umax, b.umax);
      break;
    case "ugt":
      umin = max(umin, b.umin + 1n);
      break;
    case "uge":
      umin = max(umin, b.umin);
      break;
    case "slt":
      smax = min(smax, b.smax - 1n);
      break;
    case "sle":
      smax = min(smax, b.smax);
      break;
    case "sgt":
      smin = max(smin, b.smin + 1n);
      break;
    case "sge":
      smin = max(smin, b.smin);
      break;
    default:
      break;
  }
  return resettle(a, umin, umax, smin, smax);
}

/** Better bounds are told to the bits and back (the kernel does so twice here). */
function resettle(a: Range, umin: bigint, umax: bigint, smin: bigint, smax: bigint): Range | undefined {
  if (umin === a.umin && umax === a.umax && smin === a.smin && smax === a.smax) return a;
  if (umin > umax || smin > smax) return undefined;
  const once = settle(a.bits, umin, umax, smin, smax);
  return once === undefined ? undefined : settle(once.bits, once.umin, once.umax, once.smin, once.smax);
}

/** `a & c` is something or nothing. */
function refineBits(a: Range, c: bigint, something: boolean): Range | undefined {
  // Of several bits it is not known which one.
  if (something && (c & (c - 1n)) !== 0n) return a;
  if (c === 0n) return something ? undefined : a;
  const bits = intersectBits(a.bits, something ? { value: c, mask: MASK64 & ~c } : { value: 0n, mask: MASK64 & ~c });
  return bits === undefined ? undefined : settle(bits, a.umin, a.umax, a.smin, a.smax);
}

/** The bounds of numbers that have such bits; undefined when there is none between them. */
function withSuchBits(a: Range | undefined): Range | undefined {
  if (a === undefined) return undefined;
  const { bits, umin, umax, smin, smax } = a;
  const { value, mask } = bits;
  // Mostly bounds and bits say the same.
  if (value === 0n && (mask & (mask + 1n)) === 0n) return a;
  const least = leastWith(bits, umin);
  const most = greatestWith(bits, umax);
  if (least === undefined || most === undefined || least > most) return undefined;
  return least === umin && most === umax ? a : resettle(a, least, most, smin, smax);
}

/**
 * What is true of `a` where `a condition b` holds or does not, whatever `b` is: also what the kernel does not conclude. Undefined
 * when it cannot be.
 */
export function exactRefine(a: Range, condition: Condition, b: Range, holds: boolean): Range | undefined {
  return withSuchBits(exactBounds(a, condition, b, holds));
}

function exactBounds(a: Range, condition: Condition, b: Range, holds: boolean): Range | undefined {
  if (isConstant(b)) {
    const known = holds || condition === "set" ? condition : negate(condition)!;
    if (known === "ne") return without(a, b.bits.value);
    return kernelRefine(a, condition, b.bits.value, holds);
  }
  if (condition === "set") return a;
  const known = holds ? condition : negate(condition)!;
  return known === "eq" ? intersect(a, b) : bounded(a, known, b);
}

/** Everything of `a` but `c`, where it is at an end. */
function without(a: Range, c: bigint): Range | undefined {
  const s = signed(c);
  return resettle(
    a,
    a.umin === c ? c + 1n : a.umin,
    a.umax === c ? c - 1n : a.umax,
    a.smin === s ? s + 1n : a.smin,
    a.smax === s ? s - 1n : a.smax,
  );
}

/** How a comparison ends for certain, as all kernels see it (is_branch_taken). */
export function kernelDecides(condition: Condition, a: Range, b: Range): boolean | undefined {
  if (!isConstant(b)) return undefined;
  const c = b.bits.value;
  if (isConstant(a)) return foldCondition(condition, a.bits.value, c);
  switch (condition) {
    // That a number lies outside of the range is not looked at for equality.
    case "eq":
    case "ne":
      return undefined;
    case "set":
      if ((a.bits.value & c) !== 0n) return true;
      return ((a.bits.value | a.bits.mask) & c) === 0n ? false : undefined;
    default:
      return ordered(condition, a, b);
  }
}

/** How a comparison ends for certain. */
export function exactDecides(condition: Condition, a: Range, b: Range): boolean | undefined {
  switch (condition) {
    case "eq":
    case "ne": {
      if (isConstant(a) && isConstant(b)) return foldCondition(condition, a.bits.value, b.bits.value);
      const apart =
        a.umax < b.umin ||
        b.umax < a.umin ||
        a.smax < b.smin ||
        b.smax < a.smin ||
        intersectBits(a.bits, b.bits) === undefined;
      return apart ? condition === "ne" : undefined;
    }
    case "set":
      if ((a.bits.value & b.bits.value) !== 0n) return true;
      return ((a.bits.value | a.bits.mask) & (b.bits.value | b.bits.mask)) === 0n ? false : undefined;
    default:
      return ordered(condition, a, b);
  }
}

function ordered(condition: Condition, a: Range, b: Range): boolean | undefined {
  switch (condition) {
    case "ult":
      return a.umax < b.umin ? true : a.umin >= b.umax ? false : undefined;
    case "ule":
      return a.umax <= b.umin ? true : a.umin > b.umax ? false : undefined;
    case "ugt":
      return a.umin > b.umax ? true : a.umax <= b.umin ? false : undefined;
    case "uge":
      return a.umin >= b.umax ? true : a.umax < b.umin ? false : undefined;
    case "slt":
      return a.smax < b.smin ? true : a.smin >= b.smax ? false : undefined;
    case "sle":
      return a.smax <= b.smin ? true : a.smin > b.smax ? false : undefined;
    case "sgt":
      return a.smin > b.smax ? true : a.smax <= b.smin ? false : undefined;
    case "sge":
      return a.smin >= b.smax ? true : a.smax < b.smin ? false : undefined;
    default:
      return undefined;
  }
}
