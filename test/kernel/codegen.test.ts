// What the compiler makes of functions in SSA form does in the kernel what the reference evaluation says. Loads and runs
// programs by BPF_PROG_TEST_RUN, attaches nothing; needs root.
import assert from "node:assert/strict";
import { optimise } from "../../src/language/compiler/ssa/optimise.ts";
import { createMap, loadObject, type ObjectSpec, VerifierError } from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { expectedOutcome, randomProgram, startingMaps } from "../support/random-function.ts";
import { assemble, RANDOM_MAPS } from "../support/run-function.ts";

const FETCHES = kernelIsAtLeast("5.12");
const V4 = kernelIsAtLeast("6.6");
const SEEDS = Number(process.env["SKEP_SEEDS"] ?? pace(1000, 150));
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);

kernelTest(`${SEEDS} random functions do what they say`, () => {
  using memory = createMap(RANDOM_MAPS.memory);
  using table = createMap(RANDOM_MAPS.table);
  let ran = 0;
  let tooDeep = 0;
  let length = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const program = randomProgram(seed, { fetchAtomics: FETCHES, variableStack: FETCHES });
    const expected = expectedOutcome(program, seed);
    if (seed % 4 >= 2) for (const func of [program.main, ...program.functions]) optimise(func);
    const instructions = assemble(program, { isaV4: V4 && seed % 2 === 0, fetchAtomics: FETCHES });
    if (instructions === undefined) {
      tooDeep++;
      continue;
    }
    const before = startingMaps(seed);
    memory.set(0, before.memory);
    before.table.forEach((value, i) => {
      table.set(i, value);
    });
    const spec = {
      maps: RANDOM_MAPS,
      programs: { main: { type: "socket_filter", license: "GPL", instructions } },
    } as const satisfies ObjectSpec;
    let retval: number;
    try {
      using object = loadObject(spec, { maps: { memory, table } });
      ({ retval } = object.programs.main.testRun({ data: new Uint8Array(64) }));
    } catch (error) {
      if (!(error instanceof VerifierError)) throw error;
      throw new Error(`The kernel refuses the code of seed ${seed}: ${error.message}`, { cause: error });
    }
    const where = `seed ${seed}`;
    assert.equal(retval, Number(expected.result & 0xffff_ffffn), where);
    assert.deepEqual(memory.get(0), expected.memory, where);
    assert.deepEqual(
      Array.from(expected.table, (_, i) => table.get(i)),
      [...expected.table],
      where,
    );
    ran++;
    length += instructions.length;
  }
  console.log(`# ${ran} ran, ${Math.round(length / ran)} instructions each; ${tooDeep} need more stack than there is`);
  assert.ok(ran > SEEDS * 0.5);
});
