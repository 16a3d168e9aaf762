import type { Inst } from "../ssa/ir.ts";
import type { Lowering } from "./lowering.ts";

/**
 * The position of the highest bit that is set, 0 for 0. Without a branch, so that the kernel has one way to look at instead
 * of 64: each step halves where the bit may be. `-x >> 63` is 1 for any x below 2^63 but 0, and so is `limit - x >> 63` for
 * those above the limit.
 */
export function log2Floor({ b }: Pick<Lowering, "b">, given: Inst): Inst {
  let rest = given;
  let result: Inst | undefined;
  for (const bit of [5, 4, 3, 2, 1]) {
    const width = BigInt(1 << bit);
    // The first step is done with any 64 bits, the others with what is left: 32.
    const sign = bit === 5 ? b.neg(b.lshr(rest, b.constant(width))) : b.sub(b.constant((1n << width) - 1n), rest);
    const step = b.shl(b.lshr(sign, b.constant(63n)), b.constant(BigInt(bit)));
    rest = b.lshr(rest, step);
    result = result === undefined ? step : b.or(result, step);
  }
  // Of two bits that are left, the upper one is the last digit.
  return b.or(result as Inst, b.lshr(rest, b.constant(1n)));
}
