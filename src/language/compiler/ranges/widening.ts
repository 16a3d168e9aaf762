import { MASK64, signed, unsigned } from "../ssa/fold.ts";
import type { Func } from "../ssa/ir.ts";
import { type Range, SIGNED_MAX, SIGNED_MIN } from "./range.ts";
import { ANY_BITS, bitsOfRange, intersectBits, type Tnum } from "./tnum.ts";

/**
 * Where the bounds of what grows in a loop may come to rest: at what the function compares with, and at the ends of the sizes. So
 * a counter needs a few turns to its bound instead of as many as the loop has.
 */
export class Thresholds {
  /** Ascending, as signed numbers. */
  readonly #signed: readonly bigint[];
  readonly #unsigned: readonly bigint[];

  constructor(func: Func) {
    const found = new Set<bigint>([0n, 0xffn, 0xffffn, 0x7fff_ffffn, 0xffff_ffffn, unsigned(SIGNED_MAX), MASK64]);
    const signs = new Set<bigint>([SIGNED_MIN, -0x8000_0000n, -1n]);
    for (const block of func.blocks) {
      const end = block.end!;
      if (end.op !== "branch") continue;
      for (const arg of end.args) {
        if (arg.op !== "const") continue;
        for (const near of [-1n, 0n, 1n]) {
          found.add(unsigned(arg.imm + near));
          signs.add(signed(unsigned(arg.imm + near)));
        }
      }
    }
    for (const value of found) signs.add(signed(value));
    this.#unsigned = [...found].sort(ascending);
    this.#signed = [...signs].sort(ascending);
  }

  /** `now`, which allows all that `before` does, with each bound that has moved at the next threshold. */
  widen(before: Range, now: Range): Range {
    const umin = now.umin < before.umin ? atMost(this.#unsigned, now.umin, 0n) : now.umin;
    const umax = now.umax > before.umax ? atLeast(this.#unsigned, now.umax, MASK64) : now.umax;
    const smin = now.smin < before.smin ? atMost(this.#signed, now.smin, SIGNED_MIN) : now.smin;
    const smax = now.smax > before.smax ? atLeast(this.#signed, now.smax, SIGNED_MAX) : now.smax;
    let bits: Tnum = now.bits;
    // Bits would be given up one by one: all below the highest that changed go at once, but for those that were never in doubt.
    if (bits.mask !== before.bits.mask) bits = intersectBits(bitsOfRange(umin, umax), lowKnown(now.bits)) ?? ANY_BITS;
    return { bits, umin, umax, smin, smax };
  }
}

/** Only the known low bits: what alignment is made of. */
function lowKnown(bits: Tnum): Tnum {
  const low = bits.mask & -bits.mask;
  const known = low === 0n ? MASK64 : low - 1n;
  return { value: bits.value & known, mask: MASK64 & ~known };
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function atLeast(sorted: readonly bigint[], value: bigint, otherwise: bigint): bigint {
  for (const each of sorted) if (each >= value) return each;
  return otherwise;
}

function atMost(sorted: readonly bigint[], value: bigint, otherwise: bigint): bigint {
  for (let i = sorted.length - 1; i >= 0; i--) if (sorted[i]! <= value) return sorted[i]!;
  return otherwise;
}
