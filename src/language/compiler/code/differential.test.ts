import { describe, expect, it } from "vitest";
import { expectedOutcome, randomProgram } from "../../../../test/support/random-function.ts";
import { assemble, machineOutcome } from "../../../../test/support/run-function.ts";
import { optimise } from "../ssa/optimise.ts";
import { verify } from "../ssa/verify.ts";

const SEEDS = 60;

describe("the code of random functions", () => {
  it("does in the machine what the form says, as it stands and optimised", () => {
    let ran = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      for (const optimised of [false, true]) {
        const program = randomProgram(seed, { fetchAtomics: true, variableStack: true, choices: true });
        const funcs = [program.main, ...program.functions];
        for (const func of funcs) verify(func);
        const expected = expectedOutcome(program, seed);
        if (optimised) for (const func of funcs) optimise(func);
        const instructions = assemble(program, { isaV4: seed % 2 === 0, fetchAtomics: true });
        if (instructions === undefined) continue;
        expect(machineOutcome(instructions, seed), `seed ${seed}${optimised ? ", optimised" : ""}`).toEqual(expected);
        ran++;
      }
    }
    expect(ran).toBeGreaterThan(SEEDS * 1.8);
  }, 60_000);
});
