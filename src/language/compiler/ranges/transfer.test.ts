import { describe, expect, it } from "vitest";
import { CONDITIONS, OPS } from "../../../../test/support/random-function.ts";
import { foldBinary, foldCondition, foldSext, foldZext, MASK64, signed, unsigned } from "../ssa/fold.ts";
import type { Size } from "../ssa/ir.ts";
import { exactBinary, exactNeg, exactSext, exactZext } from "./exact-transfer.ts";
import { kernelBinary, kernelZext } from "./kernel-transfer.ts";
import {
  ANY,
  constantRange,
  contains,
  intersect,
  join,
  type Range,
  rangeFrom,
  rangeText,
  SIGNED_MAX,
  SIGNED_MIN,
  settle,
  signedRangeFrom,
  within,
} from "./range.ts";
import { exactDecides, exactRefine, kernelDecides, kernelRefine } from "./refine.ts";
import { greatestWith, leastWith } from "./tnum.ts";

/** Numbers that repeat: xorshift, 64 bits. */
class Random {
  #state: bigint;
  constructor(seed: bigint) {
    this.#state = seed;
  }
  next(): bigint {
    let x = this.#state;
    x ^= (x << 13n) & MASK64;
    x ^= x >> 7n;
    x ^= (x << 17n) & MASK64;
    this.#state = x;
    return x;
  }
  below(limit: number): number {
    return Number(this.next() % BigInt(limit));
  }
  /** A number of any magnitude, often near an end. */
  value(): bigint {
    const near = [0n, 1n, 1n << 31n, 1n << 32n, 1n << 63n, MASK64, MASK64 - 3n, 0xffn, 64n][this.below(9)]!;
    if (this.below(3) === 0) return unsigned(near + BigInt(this.below(9) - 4));
    return this.next() >> BigInt(this.below(64));
  }
  /** A range that has the value. */
  around(value: bigint): Range {
    switch (this.below(6)) {
      case 0:
        return constantRange(value);
      case 1:
        return ANY;
      default: {
        const mask = this.below(2) === 0 ? MASK64 : this.next() | (this.below(2) === 0 ? this.next() : 0n);
        const spread = (): bigint => this.next() >> BigInt(this.below(65));
        const s = signed(value);
        const low = value - spread();
        const high = value + spread();
        const slow = s - spread();
        const shigh = s + spread();
        const range = settle(
          { value: value & ~mask & MASK64, mask },
          this.below(2) === 0 || low < 0n ? 0n : low,
          this.below(2) === 0 || high > MASK64 ? MASK64 : high,
          this.below(2) === 0 || slow < SIGNED_MIN ? SIGNED_MIN : slow,
          this.below(2) === 0 || shigh > SIGNED_MAX ? SIGNED_MAX : shigh,
        );
        if (range === undefined || !contains(range, value)) throw new Error(`${show(range)} has not ${value}`);
        return range;
      }
    }
  }
}

function has(range: Range | undefined, value: bigint, what: () => string): void {
  if (range === undefined || !contains(range, value)) throw new Error(`${what()} is ${value}, not in ${show(range)}`);
}

function show(range: Range | undefined): string {
  if (range === undefined) return "nothing";
  const { bits, umin, umax, smin, smax } = range;
  return `[${umin}..${umax}] [${smin}..${smax}] bits ${bits.value.toString(16)}/${bits.mask.toString(16)}`;
}

describe("what is known of a result", () => {
  it.each(OPS)("has the value that the machine computes: %s", (op) => {
    const random = new Random(0x9e37_79b9_7f4a_7c15n ^ BigInt(op.charCodeAt(0) * 977 + op.charCodeAt(1)));
    for (let i = 0; i < 2000; i++) {
      const a = random.value();
      const b =
        op.endsWith("sh") || op.startsWith("sh") || op === "lshr" || op === "ashr"
          ? BigInt(random.below(70))
          : random.value();
      const ra = random.around(a);
      const rb = random.around(b);
      const result = foldBinary(op, a, b);
      const what = (): string => `${a} ${op} ${b} of ${show(ra)} and ${show(rb)}`;
      has(kernelBinary(op, ra, rb), result, what);
      has(exactBinary(op, ra, rb), result, what);
    }
  });

  it("has the value of extensions and negation", () => {
    const random = new Random(7n);
    for (let i = 0; i < 6000; i++) {
      const a = random.value();
      const range = random.around(a);
      has(exactNeg(range), unsigned(-a), () => `neg ${a} of ${show(range)}`);
      for (const size of [1, 2, 4, 8] as Size[]) {
        has(kernelZext(range, size), foldZext(a, size), () => `zext${size} ${a} of ${show(range)}`);
        has(exactZext(range, size), foldZext(a, size), () => `zext${size} ${a} of ${show(range)}`);
        has(exactSext(range, size), foldSext(a, size), () => `sext${size} ${a} of ${show(range)}`);
      }
    }
  });

  it("has the value after a comparison, and says how it ends only when it does", () => {
    const random = new Random(11n);
    for (let i = 0; i < 10_000; i++) {
      const a = random.value();
      const b = random.below(3) === 0 ? a : random.value();
      const ra = random.around(a);
      const rb = random.around(b);
      const condition = CONDITIONS[random.below(CONDITIONS.length)]!;
      const holds = foldCondition(condition, a, b);
      const what = (): string => `${a} ${condition} ${b} (${holds}) of ${show(ra)} and ${show(rb)}`;
      has(exactRefine(ra, condition, rb, holds), a, what);
      has(kernelRefine(ra, condition, b, holds), a, what);
      for (const decided of [kernelDecides(condition, ra, rb), exactDecides(condition, ra, rb)])
        if (decided !== undefined && decided !== holds) throw new Error(`${what()} is taken for ${decided}`);
    }
  });

  it("grows with what is known of the operands: the kernel, who knows more of them on each way, knows no less of the result", () => {
    const random = new Random(13n);
    for (let i = 0; i < 15_000; i++) {
      const a = random.value();
      const b = random.value();
      const ra = random.around(a);
      const rb = random.around(b);
      const less = intersect(ra, random.around(a))!;
      const lessB = intersect(rb, random.around(b))!;
      const op = OPS[random.below(OPS.length)]!;
      const wide = kernelBinary(op, ra, rb);
      const narrow = kernelBinary(op, less, lessB);
      if (!inside(narrow, wide))
        throw new Error(
          `${op}: ${show(narrow)} of ${show(less)}, ${show(lessB)} is not in ${show(wide)} of ${show(ra)}, ${show(rb)}`,
        );
    }
  });

  it("joins to what has both, intersects to what both have", () => {
    const random = new Random(17n);
    for (let i = 0; i < 5000; i++) {
      const a = random.value();
      const b = random.value();
      const ra = random.around(a);
      const rb = random.around(b);
      const both = join(ra, rb);
      has(both, a, () => `join of ${show(ra)} ${show(rb)}`);
      has(both, b, () => `join of ${show(ra)} ${show(rb)}`);
      expect(within(ra, both) && within(rb, both)).toBe(true);
      has(intersect(ra, random.around(a)), a, () => `intersection with ${show(ra)}`);
    }
  });
});

/** As far as bounds go: those decide whether an access is allowed. */
function inside(a: Range, b: Range): boolean {
  return a.umin >= b.umin && a.umax <= b.umax && a.smin >= b.smin && a.smax <= b.smax;
}

describe("exactly what is known", () => {
  const byte = rangeFrom(0n, 255n);
  it("of the kernel: bounds of sums, masks, shifts, products; nothing of quotients, or of what a variable shifts", () => {
    const eight = constantRange(8n);
    expect(rangeText(kernelBinary("add", byte, eight))).toBe("8..263");
    expect(rangeText(kernelBinary("sub", byte, eight))).toBe("-8..247");
    expect(rangeText(kernelBinary("and", ANY, constantRange(15n)))).toBe("0..15");
    expect(rangeText(kernelBinary("mul", byte, eight))).toBe("0..2040");
    expect(kernelBinary("mul", byte, eight).bits.mask & 7n).toBe(0n);
    expect(rangeText(kernelBinary("shl", byte, constantRange(4n)))).toBe("0..4080");
    expect(rangeText(kernelBinary("lshr", ANY, constantRange(60n)))).toBe("0..15");
    expect(kernelBinary("udiv", byte, eight)).toBe(ANY);
    expect(kernelBinary("umod", byte, eight)).toBe(ANY);
    expect(kernelBinary("shl", byte, rangeFrom(0n, 3n))).toBe(ANY);
    expect(kernelBinary("or", byte, byte)).toBe(ANY);
  });
  it("in truth: also of those", () => {
    expect(rangeText(exactBinary("udiv", byte, constantRange(10n)))).toBe("0..25");
    expect(rangeText(exactBinary("umod", ANY, constantRange(10n)))).toBe("0..9");
    expect(rangeText(exactBinary("umod", rangeFrom(3n, 7n), constantRange(10n)))).toBe("3..7");
    expect(rangeText(exactBinary("umod", byte, rangeFrom(0n, 9n)))).toBe("0..255");
    expect(rangeText(exactBinary("smod", ANY, constantRange(10n)))).toBe("-9..9");
    expect(rangeText(exactBinary("sdiv", signedRangeFrom(-100n, 50n), constantRange(unsigned(-10n))))).toBe("-5..10");
    expect(rangeText(exactBinary("shl", byte, rangeFrom(0n, 3n)))).toBe("0..2040");
    expect(rangeText(exactBinary("or", byte, byte))).toBe("0..255");
    expect(rangeText(exactBinary("mul", signedRangeFrom(-3n, 4n), constantRange(100n)))).toBe("-300..400");
    expect(rangeText(exactBinary("sub", rangeFrom(5n, 9n), rangeFrom(1n, 2n)))).toBe("3..8");
    expect(rangeText(exactBinary("add", ANY, constantRange(1n)))).toBe("0..18446744073709551615");
  });
  it("after comparisons: what was not excluded; that it differs only in truth", () => {
    expect(rangeText(kernelRefine(ANY, "ult", 16n, true)!)).toBe("0..15");
    expect(rangeText(kernelRefine(ANY, "ult", 16n, false)!)).toBe("16..18446744073709551615");
    // Only from above, signed: it may be negative.
    expect(kernelRefine(ANY, "slt", 16n, true)!.umax).toBe(MASK64);
    expect(rangeText(kernelRefine(byte, "set", 1n, true)!)).toBe("1..255");
    expect(rangeText(kernelRefine(byte, "set", 0xf0n, false)!)).toBe("0..15");
    expect(rangeText(kernelRefine(byte, "ne", 0n, true)!)).toBe("0..255");
    expect(rangeText(exactRefine(byte, "ne", constantRange(0n), true)!)).toBe("1..255");
    expect(rangeText(exactRefine(ANY, "ult", byte, true)!)).toBe("0..254");
    expect(exactRefine(byte, "ugt", rangeFrom(300n, 400n), true)).toBeUndefined();
    expect(kernelDecides("ult", byte, constantRange(256n))).toBe(true);
    expect(kernelDecides("eq", byte, constantRange(256n))).toBeUndefined();
    expect(exactDecides("eq", byte, constantRange(256n))).toBe(false);
  });

  it("in truth: the bounds that numbers with such bits have", () => {
    const random = new Random(7n);
    const small = () => random.next() & 63n;
    for (let i = 0; i < 20_000; i++) {
      const mask = small();
      const bits = { value: small() & ~mask, mask };
      const bound = small();
      const fits = Array.from({ length: 64 }, (_, n) => BigInt(n)).filter((n) => (n & ~mask) === bits.value);
      expect(leastWith(bits, bound)).toBe(fits.find((n) => n >= bound));
      expect(greatestWith(bits, bound)).toBe(fits.findLast((n) => n <= bound));
    }
    const top = { value: 1n << 63n, mask: 0xff00n };
    expect(leastWith(top, 1n)).toBe(1n << 63n);
    expect(greatestWith(top, MASK64)).toBe((1n << 63n) | 0xff00n);
    expect(greatestWith(top, 5n)).toBeUndefined();
    expect(leastWith(top, MASK64)).toBeUndefined();
  });
});
