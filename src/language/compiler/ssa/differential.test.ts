import { describe, expect, it } from "vitest";
import { expectedOutcome, randomProgram } from "../../../../test/support/random-function.ts";
import { dump } from "./dump.ts";
import { optimise } from "./optimise.ts";
import { parse } from "./parse.ts";
import { verify } from "./verify.ts";

const SEEDS = Number(process.env["SKEP_SEEDS"] ?? 150);
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);

describe("random functions", () => {
  it("do the same before and after the optimiser, are whole after each pass, and get no longer", () => {
    let before = 0;
    let after = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const program = randomProgram(seed, { fetchAtomics: true, variableStack: true, choices: true });
      const expected = expectedOutcome(program, seed);
      for (const func of [program.main, ...program.functions]) {
        before += length(dump(func));
        optimise(func, {
          after: (pass) => {
            try {
              verify(func);
            } catch (error) {
              throw new Error(`seed ${seed}, after ${pass}: ${(error as Error).message}`, { cause: error });
            }
          },
        });
        after += length(dump(func));
      }
      expect(expectedOutcome(program, seed), `seed ${seed}`).toEqual(expected);
    }
    expect(after).toBeLessThan(before);
  }, 60_000);

  it("are the same when they are read back from text", () => {
    for (let seed = FIRST; seed < FIRST + SEEDS / 5; seed++) {
      const program = randomProgram(seed, { fetchAtomics: true, variableStack: true, choices: true });
      for (const func of [program.main, ...program.functions]) {
        const text = dump(parse(dump(func)));
        expect(dump(parse(text))).toBe(text);
      }
      const read = { main: parse(dump(program.main)), functions: program.functions.map((func) => parse(dump(func))) };
      expect(expectedOutcome(read, seed), `seed ${seed}`).toEqual(expectedOutcome(program, seed));
    }
  }, 60_000);
});

function length(text: string): number {
  return text.split("\n").length;
}
