import { describe, expect, it } from "vitest";
import { compute, EvaluationError, EvaluationMemory, type EvaluationWorld, evaluate } from "./evaluate.ts";
import type { Func } from "./ir.ts";
import { parse } from "./parse.ts";

function worldOf(value = new Uint8Array(64), functions: readonly Func[] = []): EvaluationWorld {
  const memory = new EvaluationMemory("little");
  const at = memory.add(value);
  return {
    memory,
    functions: new Map(functions.map((func) => [func.name, func])),
    map: () => 7n,
    mapValue: () => at,
    call: (_callee, args) => args.reduce((sum, arg) => sum + arg, 0n),
    fuel: 1000,
  };
}

const run = (text: string, args: readonly bigint[] = [], world = worldOf()) => evaluate(parse(text), args, world);

describe("evaluation", () => {
  it("divides and shifts as the machine does", () => {
    const u = (value: bigint) => BigInt.asUintN(64, value);
    expect(compute("udiv", 7n, 0n)).toBe(0n);
    expect(compute("umod", 7n, 0n)).toBe(7n);
    expect(compute("sdiv", u(-7n), 2n)).toBe(-3n);
    expect(compute("smod", u(-7n), u(-2n))).toBe(-1n);
    expect(u(compute("sdiv", 1n << 63n, u(-1n)))).toBe(1n << 63n);
    expect(compute("smod", 1n << 63n, u(-1n))).toBe(0n);
    expect(compute("shl", 1n, 65n)).toBe(2n);
    expect(u(compute("ashr", 1n << 63n, 63n))).toBe(u(-1n));
  });

  it("reads all phis of a block before it writes one", () => {
    const text = `function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v2 = const 0
  jump b1
b1: <- b0, b2 loop 1
  v3 = phi v0, v4
  v4 = phi v1, v3
  v5 = phi v2, v6
  v7 = const 3
  branch ult v5, v7 ? b2 : b3
b2: <- b1 loop 1
  v8 = const 1
  v6 = add v5, v8
  jump b1
b3: <- b1
  return v3`;
    expect(run(text, [10n, 20n])).toBe(20n);
  });

  it("extends, cuts and reverses", () => {
    const one = (line: string, value: bigint) =>
      run(`function f(scalar)\nb0:\n  v0 = param 0\n  v1 = ${line} v0\n  return v1`, [value]);
    expect(one("sext1", 0x1_80n)).toBe(0xffff_ffff_ffff_ff80n);
    expect(one("zext4", -1n & 0xffff_ffff_ffff_ffffn)).toBe(0xffff_ffffn);
    expect(one("bswap2", 0xab_1234n)).toBe(0x3412n);
    expect(one("neg", 1n)).toBe(0xffff_ffff_ffff_ffffn);
  });

  it("changes memory, at once and otherwise, and reads 0 where the kernel's is not", () => {
    const value = new Uint8Array(16);
    const text = `program f(context)
b0:
  v0 = global .bss + 8 : memory
  v1 = const 5
  store8 v0, v1
  v2 = atomic4 cmpxchg v0, v1, v1
  v3 = const 9
  v4 = atomic8 xchg v0, v3
  v5 = param 0 : context
  v6 = kload8 v5 + 4096 : kernel?
  v7 = load1 v0
  v8 = add v2, v4
  v9 = add v8, v7
  v10 = add v9, v6
  return v10`;
    expect(run(text, [0n], worldOf(value))).toBe(19n);
    expect([...value]).toEqual([...new Uint8Array(8), 9, ...new Uint8Array(7)]);
  });

  it("calls functions with memory of their own, and what the world has", () => {
    const callee = parse(
      "function g(stack)\n  slot s0 8 align 8\nb0:\n  v0 = param 0 : stack\n  v1 = slot s0\n  v2 = load8 v0\n  store8 v1, v2\n  v3 = load8 v1\n  v4 = add v3, v3\n  return v4",
    );
    const text =
      "program f(context)\n  slot s0 8 align 8\nb0:\n  v0 = slot s0\n  v1 = const 21\n  store8 v0, v1\n  v2 = call function g(v0)\n  v3 = call helper x#1(v2, v1)\n  return v3";
    expect(run(text, [0n], worldOf(undefined, [callee]))).toBe(63n);
  });

  it("refuses what has no meaning", () => {
    const endless = "program f(context)\nb0:\n  jump b1\nb1: <- b0, b1\n  jump b1";
    expect(() => run(endless)).toThrow("f does not end");
    const outside = "program f(context)\nb0:\n  v0 = global .bss : memory\n  v1 = load8 v0 + 60\n  return v1";
    expect(() => run(outside)).toThrow(EvaluationError);
    expect(() => run("program f(context)\nb0:\n  v0 = call function g()\n  return v0")).toThrow(
      "There is no function g",
    );
  });
});
