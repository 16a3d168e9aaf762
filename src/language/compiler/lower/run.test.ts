import { describe, expect, it } from "vitest";
import { compileSource } from "../../../../test/support/compile-source.ts";
import { OLD } from "../../../../test/support/lower-source.ts";
import { CASES, caseSource, INPUTS, ringRoom } from "../../../../test/support/lowering-cases.ts";
import { evaluatedState, machineState } from "../../../../test/support/module-state.ts";
import { ALL_FEATURES, recordedTarget } from "../../../../test/support/recorded-target.ts";
import { Machine, World } from "../../interp/index.ts";
import type { Features } from "../target.ts";
import { evaluateModule } from "./index.ts";

const COMM = "node";

describe.each<[string, Partial<Features>]>([
  ["the newest kernel", {}],
  ["one without iterators", { iterNum: false }],
  ["an old one", OLD],
])("what is compiled for %s does in the testing machine what the source says", (_, features) => {
  const target = recordedTarget(features);
  const can = { ...ALL_FEATURES, ...features };
  const cases = CASES.filter(({ needs = [] }) => needs.every((need) => can[need]));
  it.each(cases.map((one) => [one.name, one] as const))("%s", (__, one) => {
    const { module, spec } = compileSource(caseSource(one.body, true), target);
    const machine = new Machine(spec, { world: new World({ comm: COMM }) });
    let expected: ReturnType<typeof evaluateModule>["state"] | undefined;
    for (const [a, b] of INPUTS) {
      const context = new Uint8Array(new BigUint64Array([a, b]).buffer);
      const said = evaluateModule(module, "p", { context, comm: COMM, ringRecords: ringRoom(one) }, expected);
      expected = said.state;
      const { result } = machine.run("p", context);
      expect([a, b, BigInt(result) & 0xffff_ffffn]).toEqual([a, b, said.result & 0xffff_ffffn]);
    }
    if (expected === undefined) throw new Error("nothing ran");
    expect(machineState(module, machine as unknown as Machine)).toEqual(evaluatedState(module, expected));
  });
});

it("the greater of two numbers is the one that `>` says", () => {
  const { spec } = compileSource(
    caseSource("return (max(a, i64(5)) === a ? 1 : 0) + (a > i64(5) ? 2 : 0);", true),
    recordedTarget(),
  );
  const machine = new Machine(spec, { world: new World({ comm: COMM }) });
  const resultOf = (a: bigint) => machine.run("p", new Uint8Array(new BigUint64Array([a, 0n]).buffer)).result;
  expect([7n, 1n << 63n, 3n].map((a) => Number(resultOf(a)))).toEqual([3, 3, 0]);
});
