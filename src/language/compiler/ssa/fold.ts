import type { BinaryOp, Condition, Op, Size } from "./ir.ts";

/** All 64 bits set. */
export const MASK64 = 0xffff_ffff_ffff_ffffn;
const SIGN64 = 0x8000_0000_0000_0000n;

/** The number as the 64 bits of a register. */
export function unsigned(value: bigint): bigint {
  return value >= 0n && value <= MASK64 ? value : BigInt.asUintN(64, value);
}

/** The 64 bits of a register read as a signed number. */
export function signed(value: bigint): bigint {
  return value < SIGN64 ? value : value - (MASK64 + 1n);
}

const BINARY = new Set<Op>([
  "add",
  "sub",
  "mul",
  "udiv",
  "umod",
  "sdiv",
  "smod",
  "and",
  "or",
  "xor",
  "shl",
  "lshr",
  "ashr",
]);

/** Whether the operation is one of `BinaryOp`. */
export function isBinary(op: Op): op is BinaryOp {
  return BINARY.has(op);
}

/** Whether the operands may change places. */
export function isCommutative(op: Op): boolean {
  return op === "add" || op === "mul" || op === "and" || op === "or" || op === "xor";
}

/** What the machine gives for two registers' worth: exact, 64 bits, with x / 0 = 0 and x % 0 = x (RFC 9669). */
export function foldBinary(op: BinaryOp, a: bigint, b: bigint): bigint {
  switch (op) {
    case "add":
      return (a + b) & MASK64;
    case "sub":
      return (a - b) & MASK64;
    case "mul":
      return (a * b) & MASK64;
    case "udiv":
      return b === 0n ? 0n : a / b;
    case "umod":
      return b === 0n ? a : a % b;
    case "sdiv":
      // The smallest number divided by -1 is itself: the quotient does not fit and wraps.
      return b === 0n ? 0n : unsigned(signed(a) / signed(b));
    case "smod":
      return b === 0n ? a : unsigned(signed(a) % signed(b));
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return (a << (b & 63n)) & MASK64;
    case "lshr":
      return a >> (b & 63n);
    case "ashr":
      return unsigned(signed(a) >> (b & 63n));
  }
}

/** Whether `a condition b`. */
export function foldCondition(condition: Condition, a: bigint, b: bigint): boolean {
  switch (condition) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "ult":
      return a < b;
    case "ule":
      return a <= b;
    case "ugt":
      return a > b;
    case "uge":
      return a >= b;
    case "slt":
      return signed(a) < signed(b);
    case "sle":
      return signed(a) <= signed(b);
    case "sgt":
      return signed(a) > signed(b);
    case "sge":
      return signed(a) >= signed(b);
    case "set":
      return (a & b) !== 0n;
  }
}

/** The low `size` bytes, zero extended. */
export function foldZext(value: bigint, size: Size): bigint {
  return BigInt.asUintN(size * 8, value);
}

/** The low `size` bytes, sign extended to 64 bits. */
export function foldSext(value: bigint, size: Size): bigint {
  return unsigned(BigInt.asIntN(size * 8, value));
}

/** The low `size` bytes in reverse order, zero above. */
export function foldBswap(value: bigint, size: Size): bigint {
  let result = 0n;
  for (let i = 0; i < size; i++) result = (result << 8n) | ((value >> BigInt(8 * i)) & 0xffn);
  return result;
}

/** How many bits an unsigned number of 64 bits takes. */
export function bitLength(value: bigint): number {
  const high = Number(value >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(value)) : 64 - Math.clz32(high);
}

/** The exponent of a power of two; -1 of another number. */
export function powerOfTwo(value: bigint): number {
  return value > 0n && (value & (value - 1n)) === 0n ? bitLength(value) - 1 : -1;
}

/** The condition that holds exactly when `condition` does not; `set` has none. */
export function negate(condition: Condition): Condition | undefined {
  switch (condition) {
    case "eq":
      return "ne";
    case "ne":
      return "eq";
    case "ult":
      return "uge";
    case "ule":
      return "ugt";
    case "ugt":
      return "ule";
    case "uge":
      return "ult";
    case "slt":
      return "sge";
    case "sle":
      return "sgt";
    case "sgt":
      return "sle";
    case "sge":
      return "slt";
    case "set":
      return undefined;
  }
}

/** The condition of `b ? a` that says the same as `a condition b`. */
export function swapSides(condition: Condition): Condition {
  switch (condition) {
    case "ult":
      return "ugt";
    case "ule":
      return "uge";
    case "ugt":
      return "ult";
    case "uge":
      return "ule";
    case "slt":
      return "sgt";
    case "sle":
      return "sge";
    case "sgt":
      return "slt";
    case "sge":
      return "sle";
    default:
      return condition;
  }
}
