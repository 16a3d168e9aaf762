import { describe, expect, it } from "vitest";
import { randomProgram } from "../../../../test/support/random-function.ts";
import { checkCode } from "./check.ts";
import { runStages } from "./emit-function.ts";
import { CodeProblemError } from "./problem.ts";

const FEATURES = { isaV4: false, fetchAtomics: true, probeReadKernel: true, iterNum: true };

describe("random functions", () => {
  it("have every operand where it is read, by the checker", () => {
    let checked = 0;
    for (let seed = 1; seed <= 100; seed++) {
      const { main, functions } = randomProgram(seed, { fetchAtomics: true, variableStack: true });
      for (const func of [main, ...functions]) {
        try {
          const target = { byteOrder: "little", features: { ...FEATURES, isaV4: seed % 2 === 0 } } as const;
          checkCode(runStages(func, target));
          checked++;
        } catch (error) {
          if (error instanceof CodeProblemError) continue;
          throw new Error(`seed ${seed}, ${func.name}`, { cause: error });
        }
      }
    }
    expect(checked).toBeGreaterThan(100);
  });
});
