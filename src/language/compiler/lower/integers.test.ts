import { describe, expect, it } from "vitest";
import { Builder } from "../ssa/builder.ts";
import { type EvaluationWorld, evaluate } from "../ssa/evaluate.ts";
import { log2Floor } from "./integers.ts";

/** What the code made for `log2` gives; it touches no memory and calls nothing. */
function log2(value: bigint): bigint {
  const b = new Builder("f", "function", ["scalar"]);
  b.ret(log2Floor({ b }, b.param(0)));
  return evaluate(b.finish(), [value], {} as EvaluationWorld);
}

describe("log2", () => {
  it("is 0 for 0 and 1", () => {
    expect(log2(0n)).toBe(0n);
    expect(log2(1n)).toBe(0n);
  });
  it("is the place of the highest bit, for each of the 64, with all below it set, none, and some", () => {
    for (let bit = 1n; bit < 64n; bit++) {
      const lowest = 1n << bit;
      for (const value of [lowest, lowest + 1n, lowest | (lowest / 3n), 2n * lowest - 1n])
        expect(log2(value)).toBe(bit);
    }
  });
});
