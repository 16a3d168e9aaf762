import { describe, expect, it } from "vitest";
import { OLD } from "../../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { compile, type Dump } from "../compile.ts";
import { NOWHERE } from "../span.ts";
import { parse } from "../ssa/parse.ts";
import type { Features } from "../target.ts";
import { effortsOf } from "./effort.ts";
import { doubtful, tooMuch } from "./limits.ts";

const HEAD = 'import { comm, counter, global, hash, range, str, struct, syscall, u32, u64 } from "skep/kernel";';

function compiled(text: string, features: Partial<Features> = {}, dumps: readonly Dump[] = []) {
  const files = new Map([["m.bpf.ts", `${HEAD}\n${text}`]]);
  return compile({ entry: "m.bpf.ts", files }, recordedTarget(features), { paranoid: true, dumps });
}

/** A body with `count` branches, each of which leaves something else behind. */
function branches(count: number): string {
  return Array.from({ length: count }, (_, i) => `if ((n & ${2 ** i}) !== 0) sum += ${i * 7 + 1};`).join(" ");
}

const nested = (turns: number): string => `
  export const sum = global(u64);
  export const seen = hash(u64, u64, { max: 64 });
  function step(n: u64): u64 { let sum: u64 = n; ${branches(12)} const at = seen.ref(sum & 15); if (at) at.value += sum; return sum; }
  export const program = syscall(struct({ a: u64 }), (ctx) => {
    for (let i = 0; i < ${turns}; i++) sum.value += step(step(step(ctx.a + i) + step(i)) + step(sum.value));
    return 0;
  });`;

const wide = (turns: number): string => `
  export const total = global(u64);
  export const program = syscall(struct({ a: u64 }), (ctx) => {
    const n = ctx.a;
    let sum: u64 = 0;
    for (let i = 0; i < ${turns}; i++) { ${branches(30)} total.value ^= sum; }
    return 0;
  });`;

describe("effortsOf", () => {
  it("counts both sides of branches, loops as often as they turn, and the branches on the longest way", () => {
    const func = parse(`program p(context)
b0:
  v0 = param 0
  v1 = load8 v0
  v2 = const 0
  v9 = const 1
  v10 = const 10
  jump b1
b1: <- b0, b4
  v3 = phi v2, v8
  branch ult v3, v10 ? b2 : b5
b2: <- b1
  branch ult v1, v3 ? b3 : b4
b3: <- b2
  store8 v0, v3
  jump b4
b4: <- b2, b3
  v8 = add v3, v9
  jump b1
b5: <- b1
  return v2`);
    for (const block of func.blocks) if (block.phis.length > 0) block.turns = 10;
    const effort = effortsOf([{ func, size: 20 }]).get("p");
    // The test that ends the loop is decided each time; the other one is not, in any of its turns.
    expect(effort).toMatchObject({ pending: 11, spread: 1, turnedSpread: 0, turns: 10 });
    expect(effort?.instructions).toBeGreaterThan(10 * 6);
  });
});

describe("tooMuch", () => {
  const effort = { pending: 0, spread: 30, turnedSpread: 0, span: NOWHERE, turns: undefined };

  it("is what is likely to be, when nobody asks the kernel; else only what is sure to be", () => {
    const trusted = doubtful({ iterNum: true, loop: true });
    expect(tooMuch({ ...effort, instructions: 20_000 }, trusted)?.code).toBe("EB5001");
    expect(tooMuch({ ...effort, instructions: 20_000 })).toBeUndefined();
    expect(tooMuch({ ...effort, instructions: 60_000 })?.code).toBe("EB5001");
    expect(tooMuch({ ...effort, instructions: 5_000 }, trusted)).toBeUndefined();
    // A kernel that turns no loops itself is trusted with less.
    expect(tooMuch({ ...effort, instructions: 15_000 }, trusted)).toBeUndefined();
    expect(tooMuch({ ...effort, instructions: 15_000 }, doubtful({ iterNum: false, loop: false }))?.code).toBe(
      "EB5001",
    );
  });
});

describe("compile", () => {
  it("leaves a loop as it is when that is little for the kernel to go through", () => {
    const { spec } = compiled(
      "export const program = syscall(() => { let n: u64 = 0; for (let i = 0; i < 200; i++) n += comm().length; return u32(n); });",
    );
    const instructions = spec?.programs["program"]?.instructions ?? [];
    expect(instructions.some(({ extern }) => extern?.startsWith("bpf_iter_num"))).toBe(false);
  });

  it("has functions of numbers looked at by themselves where each call would be too many", () => {
    const { spec, diagnostics } = compiled(nested(60));
    expect(diagnostics).toEqual([]);
    const { btf } = spec ?? {};
    const step = btf?.find("step", "function");
    expect(step === undefined ? undefined : btf?.type(step)).toMatchObject({ kind: "function", linkage: "global" });
  });

  it.each([nested(60), wide(40)])("dumps what it took, and not what it tried besides (%#)", (source) => {
    const { spec, dumps } = compiled(source, {}, ["ssa-opt"]);
    const all = Object.values(spec?.programs ?? {}).flatMap(({ instructions }) => instructions);
    const isTurned = all.some(({ extern }) => extern === "bpf_iter_num_next");
    expect(dumps["ssa-opt"]?.includes("bpf_iter_num_next")).toBe(isTurned);
  });

  it("has the kernel turn a loop where it would go through too many turns", () => {
    const { spec, diagnostics } = compiled(wide(40));
    expect(diagnostics).toEqual([]);
    const { instructions = [] } = spec?.programs["program"] ?? {};
    expect(instructions.some(({ extern }) => extern === "bpf_iter_num_next")).toBe(true);
  });

  it("has it turn a loop that compares several things with its counter: each turn may be the first to differ", () => {
    const compares = (turns: number) => `
      export const sum = global(u64);
      export const program = syscall(struct({ a: u64, b: u64, c: u64 }), (ctx) => {
        const a = ctx.a;
        const b = ctx.b;
        const c = ctx.c;
        for (const x of range(${turns})) {
          if (a <= x * 3) sum.value += 1;
          if (b <= x * 5) sum.value ^= 7;
          if (c <= x * 2) sum.value += 3;
        }
        return 0;
      });`;
    expect(compiled(compares(8)).manner).toBe("fast");
    // On Linux 6.18 it takes more than 300,000 instructions for 20 turns, and more than a million for 30.
    expect(compiled(compares(30)).manner).toBe("sparing");
    const ends = `
      export const sum = global(u64);
      export const program = syscall(struct({ a: u64 }), (ctx) => {
        const a = ctx.a;
        for (const x of range(1000)) { if (x === a) break; sum.value += x; }
        return 0;
      });`;
    expect(compiled(ends).manner).toBe("fast");
  });

  it("says so where the kernel has no means to be spared, and which loop it is", () => {
    const { spec, diagnostics } = compiled(wide(500), OLD);
    expect(spec).toBeUndefined();
    expect(diagnostics.map(({ code }) => code)).toEqual(["EB5001"]);
    expect(diagnostics[0]?.message).toMatch(/turns 500 times/);
  });

  it("takes a long loop without branches on an old kernel", () => {
    const { diagnostics } = compiled(
      "export const sum = global(u64);\nexport const program = syscall(struct({ a: u64 }), (ctx) => { for (let i = 0; i < 20000; i++) sum.value += ctx.a ^ i; return 0; });",
      OLD,
    );
    expect(diagnostics).toEqual([]);
  });
});
