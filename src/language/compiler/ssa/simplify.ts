import { foldBinary, foldBswap, foldSext, foldZext, isBinary, isCommutative, MASK64 } from "./fold.ts";
import type { BinaryOp, Inst } from "./ir.ts";
import { isZero } from "./non-null.ts";

/**
 * What an instruction is worth without itself: a value that already is, a constant (bigint), or undefined when it has to stay.
 * May put the constant operand of a commutative operation on the right, where code has its immediates, and may make an extension
 * read what was extended before it. Looks at operands only, never at who uses the value. Sums are deliberately not regrouped
 * (`(x + 1) + 2` stays): the kernel knows what was compared, `x + 1`, and would know nothing of `x + 3`.
 */
export function simplify(inst: Inst): Inst | bigint | undefined {
  const { op, args } = inst;
  if (isBinary(op)) return binary(inst, op);
  const a = args[0];
  switch (op) {
    case "neg":
      if (a!.op === "const") return -a!.imm & MASK64;
      return a!.op === "neg" ? a!.args[0] : undefined;
    case "zext":
      if (a!.op === "const") return foldZext(a!.imm, inst.size);
      return inst.size === 8 || zeroAbove(a!) <= inst.size ? a : through(inst, a!);
    case "sext":
      if (a!.op === "const") return foldSext(a!.imm, inst.size);
      // What is zero above fewer bytes is positive in more.
      return inst.size === 8 || zeroAbove(a!) < inst.size || signAbove(a!) <= inst.size ? a : through(inst, a!);
    case "bswap":
      if (a!.op === "const") return foldBswap(a!.imm, inst.size);
      if (a!.op === "bswap" && a!.size === inst.size && (inst.size === 8 || zeroAbove(a!.args[0]!) <= inst.size))
        return a!.args[0];
      return inst.size === 1 && zeroAbove(a!) <= 1 ? a : undefined;
    case "offset":
      return isZero(args[1]!) ? a : undefined;
    case "bound":
      return a!.op === "const" && a!.imm < inst.imm ? a : undefined;
    case "fits":
      if (a!.op === "const")
        return (inst.signed ? foldSext(a!.imm, inst.size) : foldZext(a!.imm, inst.size)) === a!.imm ? a : undefined;
      return inst.size === 8 ? a : undefined;
    case "phi":
      return onlyOperand(inst);
    default:
      return undefined;
  }
}

/** Lets a store take a value without the extension that was made of its upper bytes, which are not stored. */
export function narrowStore(store: Inst): boolean {
  let value = store.args[1]!;
  while ((value.op === "zext" || value.op === "sext") && value.size >= store.size) value = value.args[0]!;
  if (value === store.args[1]) return false;
  store.args[1] = value;
  return true;
}

/** How many low bytes may be other than zero: 8 when nothing is known without looking further. */
function zeroAbove(inst: Inst): number {
  switch (inst.op) {
    case "load":
    case "kload":
      return inst.signed ? 8 : inst.size;
    case "zext":
    case "bswap":
      return inst.size;
    case "const":
      return bytesOf(inst.imm);
    case "and": {
      const mask = inst.args[1]!;
      return mask.op === "const" ? zeroAbove(mask) : 8;
    }
    case "bound":
      return bytesOf(inst.imm - 1n);
    case "atomic":
      return inst.size;
    default:
      return 8;
  }
}

function bytesOf(most: bigint): number {
  return most <= 0xffn ? 1 : most <= 0xffffn ? 2 : most <= 0xffff_ffffn ? 4 : 8;
}

/** Of how many low bytes the rest is the sign extension; 8 when nothing is known. */
function signAbove(inst: Inst): number {
  switch (inst.op) {
    case "load":
    case "kload":
      return inst.signed ? inst.size : 8;
    case "sext":
      return inst.size;
    default:
      return 8;
  }
}

/** An extension of an extension that kept at least as many bytes reads what was extended first. */
function through(inst: Inst, from: Inst): undefined {
  let value = from;
  while ((value.op === "zext" || value.op === "sext") && value.size >= inst.size) value = value.args[0]!;
  inst.args[0] = value;
  return undefined;
}

/** The one value, besides itself, that a phi has for operands. */
function onlyOperand(phi: Inst): Inst | undefined {
  let only: Inst | undefined;
  for (const arg of phi.args) {
    if (arg === phi || arg === only) continue;
    if (only !== undefined) return undefined;
    only = arg;
  }
  return only;
}

function binary(inst: Inst, op: BinaryOp): Inst | bigint | undefined {
  const { args } = inst;
  if (args[0]!.op === "const" && args[1]!.op !== "const" && isCommutative(op)) args.reverse();
  const a = args[0]!;
  const b = args[1]!;
  if (b.op === "const") {
    if (a.op === "const") return foldBinary(op, a.imm, b.imm);
    return withConstant(inst, a, b.imm);
  }
  if (a === b) {
    if (op === "sub" || op === "xor") return 0n;
    if (op === "and" || op === "or") return a;
  }
  if (op === "or") {
    const whole = putTogether(a, b) ?? putTogether(b, a);
    if (whole !== undefined) return whole;
  }
  if (isZero(a)) {
    if (
      op === "shl" ||
      op === "lshr" ||
      op === "ashr" ||
      op === "udiv" ||
      op === "sdiv" ||
      op === "umod" ||
      op === "smod"
    )
      return 0n;
  }
  return undefined;
}

/** The value whose upper and lower half are put together again: `u64(pid()) << 32 | tid()`. */
function putTogether(upper: Inst, lower: Inst): Inst | undefined {
  if (upper.op !== "shl" || lower.op !== "zext" || lower.size !== 4) return undefined;
  const [half, left] = upper.args as [Inst, Inst];
  if (half.op !== "lshr") return undefined;
  const [whole, right] = half.args as [Inst, Inst];
  const isHalf = (count: Inst) => count.op === "const" && count.imm === 32n;
  return isHalf(left) && isHalf(right) && lower.args[0] === whole ? whole : undefined;
}

/** `a op c`. */
function withConstant(inst: Inst, a: Inst, c: bigint): Inst | bigint | undefined {
  switch (inst.op) {
    case "add":
    case "sub":
    case "or":
    case "xor":
      return c === 0n ? a : inst.op === "or" && c === MASK64 ? MASK64 : undefined;
    case "mul":
      return c === 0n ? 0n : c === 1n ? a : undefined;
    case "udiv":
    case "sdiv":
      return c === 0n ? 0n : c === 1n ? a : undefined;
    case "umod":
    case "smod":
      return c === 0n ? a : c === 1n ? 0n : undefined;
    case "and": {
      if (c === 0n) return 0n;
      if (c === MASK64) return a;
      const bytes = zeroAbove(a);
      // The mask keeps all that can be there.
      return bytes < 8 && (c & ((1n << BigInt(bytes * 8)) - 1n)) === (1n << BigInt(bytes * 8)) - 1n ? a : undefined;
    }
    case "shl":
    case "lshr":
    case "ashr":
      if ((c & 63n) === 0n) return a;
      return inst.op === "lshr" && (c & 63n) >= BigInt(zeroAbove(a) * 8) ? 0n : undefined;
    default:
      return undefined;
  }
}
