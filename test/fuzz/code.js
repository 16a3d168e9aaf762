// Random functions in SSA form, as they stand and optimised: the checker goes through their code, and the machine of
// `skep/testing` must leave behind what the reference evaluation says.
import { isDeepStrictEqual } from "node:util";
import { optimise } from "../../dist-test/src/language/compiler/ssa/optimise.js";
import { expectedOutcome, randomProgram } from "../../dist-test/test/support/random-function.js";
import { assemble, machineOutcome } from "../../dist-test/test/support/run-function.js";

/** Runs so many functions from a seed on; gives how many failed, each named by its seed. */
export function fuzzCode(inputs, first) {
  const begin = performance.now();
  const counts = { ran: 0, tooDeep: 0, instructions: 0, failures: 0 };
  for (let i = 0; i < inputs && counts.failures < 20; i++) {
    const seed = (first + i) >>> 0;
    try {
      const program = randomProgram(seed, { fetchAtomics: true, variableStack: true });
      const expected = expectedOutcome(program, seed);
      if (seed % 4 >= 2) for (const func of [program.main, ...program.functions]) optimise(func);
      const code = assemble(program, { isaV4: seed % 2 === 0, fetchAtomics: true });
      if (code === undefined) {
        counts.tooDeep++;
        continue;
      }
      if (!isDeepStrictEqual(machineOutcome(code, seed), expected)) throw new Error("it does something else");
      counts.ran++;
      counts.instructions += code.length;
    } catch (error) {
      counts.failures++;
      console.error(`seed ${seed}: ${error.stack}`);
    }
  }
  const seconds = Math.round((performance.now() - begin) / 1000);
  console.log(
    `code: ${inputs} functions in ${seconds} s (seed ${first}), ${counts.ran} ran, ${Math.round(counts.instructions / counts.ran)} instructions each, ${counts.tooDeep} need more stack than there is, ${counts.failures} failures`,
  );
  return counts.failures;
}
