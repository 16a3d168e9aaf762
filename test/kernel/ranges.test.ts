// What the range analysis takes for proven, the kernel's verifier accepts: reads of memory at distances that are bounded exactly
// by what the analysis says, in random functions. Loads and runs programs by BPF_PROG_TEST_RUN, attaches nothing; needs root.
import assert from "node:assert/strict";
import { proveRanges } from "../../src/language/compiler/ranges/prove.ts";
import { optimise } from "../../src/language/compiler/ssa/optimise.ts";
import { createMap, loadObject, type ObjectSpec, VerifierError } from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { Random } from "../support/random.ts";
import { addClaims } from "../support/random-claims.ts";
import { expectedOutcome, randomProgram, startingMaps } from "../support/random-function.ts";
import { assemble, RANDOM_MAPS } from "../support/run-function.ts";

const FETCHES = kernelIsAtLeast("5.12");
const V4 = kernelIsAtLeast("6.6");
const SEEDS = Number(process.env["SKEP_SEEDS"] ?? pace(600, 6));
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);

kernelTest("random functions read memory where the ranges say it is", () => {
  using memory = createMap(RANDOM_MAPS.memory);
  using table = createMap(RANDOM_MAPS.table);
  let ran = 0;
  let seen = 0;
  let unseen = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const program = randomProgram(seed, { fetchAtomics: FETCHES, variableStack: FETCHES });
    const funcs = [program.main, ...program.functions];
    if (seed % 4 !== 0) for (const func of funcs) optimise(func);
    const claims = addClaims(program.main, new Random(seed), 12);
    const expected = expectedOutcome(program, seed);
    for (const func of funcs) assert.deepEqual(proveRanges(func, { spillsKeepBounds: FETCHES }), [], `seed ${seed}`);
    const instructions = assemble(program, { isaV4: V4 && seed % 2 === 0, fetchAtomics: FETCHES });
    if (instructions === undefined) continue;
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
      throw new Error(`The kernel refuses what was proven of seed ${seed}: ${error.message}`, { cause: error });
    }
    assert.equal(retval, Number(expected.result & 0xffff_ffffn), `seed ${seed}`);
    assert.deepEqual(memory.get(0), expected.memory, `seed ${seed}`);
    ran++;
    seen += claims.seen;
    unseen += claims.unseen;
  }
  console.log(`# ${ran} ran; ${seen} bounds that the kernel sees itself, ${unseen} that were made for it to see`);
  assert.ok(ran > SEEDS * 0.5 && seen > ran && unseen > ran / 4);
});
