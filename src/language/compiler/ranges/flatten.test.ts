import { describe, expect, it } from "vitest";
import { dump } from "../ssa/dump.ts";
import { EvaluationMemory, type EvaluationWorld, evaluate } from "../ssa/evaluate.ts";
import type { Condition, Func } from "../ssa/ir.ts";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { proveRanges } from "./prove.ts";

const CONDITIONS: readonly Condition[] = ["eq", "ne", "ult", "ule", "ugt", "uge", "slt", "sle", "sgt", "sge", "set"];

/** How an operand comes out of a parameter (`IN`), and numbers that show where it ends. */
const OPERANDS: Readonly<Record<string, string>> = {
  any: "or IN, v9",
  u32: "zext4 IN",
  i32: "sext4 IN",
  u8: "zext1 IN",
  i16: "sext2 IN",
  "0": "const 0",
  "1": "const 1",
  "7": "const 7",
  "-1": "const -1",
  "-6": "const -6",
  "2^63": "const 9223372036854775808",
  "2^63 - 1": "const 9223372036854775807",
  "2^31": "const 2147483648",
};
const NUMBERS = [0, 1, 7, 8, 0x80, 0x8000, 0x7fff_ffff, 0x8000_0000, 0x1_0000_0000, -1, -6, -7, -8]
  .map((number) => BigInt.asUintN(64, BigInt(number)))
  .concat([-1n, 0n, 1n].map((beside) => (1n << 63n) + beside));
const NOWHERE: EvaluationWorld = {
  memory: new EvaluationMemory("little"),
  functions: new Map(),
  map: () => 0n,
  mapValue: () => 0n,
  call: () => 0n,
  fuel: Number.POSITIVE_INFINITY,
};

function choice(condition: Condition, a: string, b: string, [yes, no]: readonly [number, number]): Func {
  return parse(`function f(scalar, scalar)
b0:
  v0 = param 0
  v1 = param 1
  v9 = const 0
  v2 = ${OPERANDS[a]!.replace("IN", "v0")}
  v3 = ${OPERANDS[b]!.replace("IN", "v1")}
  v4 = const ${yes}
  v5 = const ${no}
  branch ${condition} v2, v3 ? b1 : b2
b1: <- b0
  jump b3
b2: <- b0
  jump b3
b3: <- b1, b2
  v6 = phi v4, v5
  return v6`);
}

describe("flattenChoices", () => {
  it("computes what the branch chose, whatever is compared and may come", () => {
    const flat = { plain: 0, sparing: 0, of: 0 };
    for (const condition of CONDITIONS)
      for (const a of Object.keys(OPERANDS))
        for (const b of Object.keys(OPERANDS))
          for (const ways of [
            [1, 0],
            [0, 1],
          ] as const)
            for (const sparing of [false, true]) {
              const meant = choice(condition, a, b, ways);
              const made = choice(condition, a, b, ways);
              expect(proveRanges(made, { sparing })).toEqual([]);
              verify(made, { claims: false });
              if (!sparing) flat.of++;
              if (made.blocks.length === 1) flat[sparing ? "sparing" : "plain"]++;
              for (const x of NUMBERS)
                for (const y of NUMBERS) {
                  const is = evaluate(made, [x, y], NOWHERE);
                  if (is !== evaluate(meant, [x, y], NOWHERE))
                    throw new Error(`${x} ${condition} ${y} of ${a} and ${b} is ${is}:\n${dump(made)}`);
                }
            }
    // What is decided in truth only ends the function there.
    expect(flat.sparing).toBeGreaterThan(flat.of * 0.85);
    // What takes more instructions than the branch stays one, unless the verifier is to be spared.
    expect(flat.plain).toBeGreaterThan(flat.of * 0.5);
    expect(flat.plain).toBeLessThan(flat.sparing);
    console.log(flat);
  });
});
