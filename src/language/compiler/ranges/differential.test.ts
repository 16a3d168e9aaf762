import { describe, expect, it } from "vitest";
import { Random } from "../../../../test/support/random.ts";
import { addClaims, knownValues, watchValues } from "../../../../test/support/random-claims.ts";
import { expectedOutcome, randomProgram } from "../../../../test/support/random-function.ts";
import { optimise } from "../ssa/optimise.ts";
import { verify } from "../ssa/verify.ts";
import { proveRanges } from "./prove.ts";
import { contains, rangeText } from "./range.ts";

const SEEDS = Number(process.env["SKEP_SEEDS"] ?? 150);
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);
const OPTIONS = { fetchAtomics: true, variableStack: true, choices: true };

describe("ranges of random functions", () => {
  it("has each value that comes up when they run, as they stand and optimised", () => {
    let watched = 0;
    let bounded = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const program = randomProgram(seed, OPTIONS);
      if (seed % 2 === 0) for (const func of [program.main, ...program.functions]) optimise(func);
      const values = knownValues(program.main);
      watchValues(program.main, values);
      verify(program.main);
      expectedOutcome(program, seed, ([index, value]) => {
        const { known, value: inst, block } = values[Number(index)]!;
        watched++;
        if (known.kernel.umax !== known.kernel.umin && known.exact !== undefined && known.exact.umax < 1n << 63n)
          bounded++;
        if (known.exact !== undefined && contains(known.exact, value!) && contains(known.kernel, value!)) return;
        const said = known.exact === undefined ? "nothing" : rangeText(known.exact);
        throw new Error(
          `seed ${seed}: v${inst.id} in b${block.id} is ${value}, not ${said} (${rangeText(known.kernel)})`,
        );
      });
    }
    console.log(`${watched} values, ${bounded} of them bounded`);
    expect(watched).toBeGreaterThan(SEEDS * 20);
    expect(bounded).toBeGreaterThan(SEEDS * 5);
  }, 60_000);

  it("proves what it found itself, and leaves what functions do", () => {
    let clamped = 0;
    let free = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const program = randomProgram(seed, OPTIONS);
      const funcs = [program.main, ...program.functions];
      if (seed % 2 === 0) for (const func of funcs) optimise(func);
      const { seen, unseen } = addClaims(program.main, new Random(seed), 12);
      free += seen;
      clamped += unseen;
      verify(program.main);
      const expected = expectedOutcome(program, seed);
      for (const func of funcs) {
        expect(proveRanges(func), `seed ${seed}`).toEqual([]);
        verify(func, { claims: false });
      }
      expect(expectedOutcome(program, seed), `seed ${seed}`).toEqual(expected);
    }
    console.log(`${free} claims that the kernel sees, ${clamped} that it does not`);
    expect(free).toBeGreaterThan(SEEDS);
    expect(clamped).toBeGreaterThan(SEEDS / 2);
  }, 60_000);
});
