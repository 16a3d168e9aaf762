import { expect, it } from "vitest";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { checkCode } from "./check.ts";
import { runStages } from "./emit-function.ts";
import { MEMORY } from "./interval.ts";

/** Five values that each turn needs around its call, besides the counter, which is needed last. */
const LOOP = `program f(context)
b0:
  v0 = param 0
  v1 = load8 v0
  v2 = load8 v0 + 8
  v3 = load8 v0 + 16
  v4 = load8 v0 + 24
  v5 = load8 v0 + 32
  v6 = const 0
  v7 = const 1
  v8 = const 12
  jump b1
b1: <- b0, b2
  v9 = phi v6, v20
  v10 = phi v6, v19
  branch ult v9, v8 ? b2 : b3
b2: <- b1
  v11 = call helper use#1(v10)
  v12 = add v11, v1
  v13 = add v12, v2
  v14 = add v13, v3
  v15 = add v14, v4
  v16 = add v15, v5
  v17 = call helper use#1(v16)
  v18 = add v17, v1
  v19 = add v18, v5
  v20 = add v9, v7
  jump b1
b3: <- b1
  return v10`;

function placesOfCounter(iterNum: boolean): number[] {
  const func = parse(LOOP);
  verify(func);
  const stages = runStages(func, {
    byteOrder: "little",
    features: { isaV4: false, fetchAtomics: true, probeReadKernel: true, iterNum },
  });
  checkCode(stages);
  const { machine, allocation } = stages;
  const head = machine.blocks.find(({ phis }) => phis.length > 0);
  const latch = machine.blocks.find(({ insts }) => insts.some(({ form }) => form === "call"));
  const counter = head?.phis.find(({ inputs }) => inputs[0]?.constant?.value === 0n)?.dst as number;
  const places: number[] = [];
  for (const { position } of latch?.insts ?? [])
    if (allocation.partsOf(counter).some((part) => part.covers(position)))
      places.push(allocation.registerAt(counter, position));
  return places;
}

it("a loop's counter stays in a register that calls leave alone, on kernels that look for it there alone", () => {
  expect(placesOfCounter(true)).toContain(MEMORY);
  expect(placesOfCounter(false).every((register) => register >= 6)).toBe(true);
});
