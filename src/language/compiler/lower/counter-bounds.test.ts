import { describe, expect, it } from "vitest";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { compile } from "../compile.ts";
import type { Manner } from "../index.ts";
import type { Features } from "../target.ts";

/** What turns loops: iterators, a helper, neither. */
const KERNELS: readonly (readonly [string, Partial<Features>])[] = [
  ["iterators", {}],
  ["a helper", { iterNum: false }],
  ["neither", { iterNum: false, loop: false }],
];
const MANNERS: readonly Manner[] = ["fast", "alone", "sparing"];

const LOOPS: readonly (readonly [string, string])[] = [
  ["of constants", "for (const x of range(200)) put(x);"],
  ["to what is known when it runs", "for (const x of range(ctx.n & 15)) put(x);"],
  ["from what is not 0", "for (const x of range(3, ctx.n & 15)) put(x);"],
  ["to a sum", "for (const x of range(3, (ctx.n & 7) + 3)) put(x);"],
  ["to a product", "for (const x of range(((ctx.n & 7) << 1) * 3)) put(x);"],
  ["at most so often", "for (const x of range(0, ctx.n, { atMost: 100 })) put(x);"],
];

describe("the number of a range's turn fits where it can be proven to, in every form of the loop", () => {
  for (const [kernel, features] of KERNELS)
    for (const manner of MANNERS)
      it.each(LOOPS)(`${kernel}, ${manner}: %s`, (_, loop) => {
        const text = `import { bytes, global, hash, range, struct, syscall, u64 } from "skep/kernel";
          export const seen = hash(struct({ at: bytes(2) }), u64, { max: 64 });
          export const program = syscall(struct({ n: u64 }), (ctx) => { ${loop.replace("put(x)", "seen.set({ at: [x, 1] }, ctx.n)")} return 0; });`;
        const files = new Map([["m.bpf.ts", text]]);
        const { diagnostics, spec } = compile({ entry: "m.bpf.ts", files }, recordedTarget(features), {
          paranoid: true,
          trying: true,
          manner,
        });
        expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
        expect(spec).toBeDefined();
      });
});
