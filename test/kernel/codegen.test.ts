// What the compiler makes of functions in SSA form does in the kernel what the reference evaluation says. Loads and runs
// programs by BPF_PROG_TEST_RUN, attaches nothing; needs root.
import assert from "node:assert/strict";
import { optimise } from "../../src/language/compiler/ssa/optimise.ts";
import type { Instruction } from "../../src/object/asm/index.ts";
import { createMap, loadObject, type ObjectSpec, VerifierError } from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import {
  expectedOutcome,
  longFunction,
  type Outcome,
  randomProgram,
  startingMaps,
} from "../support/random-function.ts";
import { assemble, RANDOM_MAPS } from "../support/run-function.ts";

const FETCHES = kernelIsAtLeast("5.12");
const V4 = kernelIsAtLeast("6.6");
const SEEDS = Number(process.env["SKEP_SEEDS"] ?? pace(1000, 10));
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);

const makeMaps = () => ({ memory: createMap(RANDOM_MAPS.memory), table: createMap(RANDOM_MAPS.table) });
type Maps = ReturnType<typeof makeMaps>;

/** What the code leaves behind when the kernel runs it; of its result, what a program returns. */
function kernelOutcome(instructions: readonly Instruction[], seed: number, maps: Maps, where: string): Outcome {
  const { memory, table } = maps;
  const before = startingMaps(seed);
  memory.set(0, before.memory);
  before.table.forEach((value, i) => {
    table.set(i, value);
  });
  const spec = {
    maps: RANDOM_MAPS,
    programs: { main: { type: "socket_filter", license: "GPL", instructions } },
  } as const satisfies ObjectSpec;
  try {
    using object = loadObject(spec, { maps: { memory, table } });
    const { retval } = object.programs.main.testRun({ data: new Uint8Array(64) });
    return {
      result: BigInt(retval),
      memory: memory.get(0) as Uint8Array,
      table: BigUint64Array.from(before.table, (_, i) => table.get(i) as bigint),
    };
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    throw new Error(`The kernel refuses the code of ${where}: ${error.message}`, { cause: error });
  }
}

kernelTest("jumps over more than 16 bits can say", () => {
  const maps = makeMaps();
  using _memory = maps.memory;
  using _table = maps.table;
  for (const count of pace([33_000, 66_000], [33_000])) {
    const program = { main: longFunction(count), functions: [] };
    for (const isaV4 of V4 ? pace([false, true], [true]) : [false]) {
      const instructions = assemble(program, { isaV4, fetchAtomics: FETCHES }, false);
      assert.ok(instructions !== undefined && instructions.length > count);
      for (const seed of pace([1, 2], [1])) {
        const { result } = kernelOutcome(instructions, seed, maps, `${count} operations`);
        assert.equal(result, expectedOutcome(program, seed).result & 0xffff_ffffn);
      }
    }
  }
});

kernelTest("random functions do what they say", () => {
  const maps = makeMaps();
  using _memory = maps.memory;
  using _table = maps.table;
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
    const where = `seed ${seed}`;
    const outcome = kernelOutcome(instructions, seed, maps, where);
    assert.deepEqual(outcome, { ...expected, result: expected.result & 0xffff_ffffn }, where);
    ran++;
    length += instructions.length;
  }
  console.log(`# ${ran} ran, ${Math.round(length / ran)} instructions each; ${tooDeep} need more stack than there is`);
  assert.ok(ran > SEEDS * 0.5);
});
