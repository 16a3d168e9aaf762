// What the compiler makes of functions in SSA form does in the kernel what the reference evaluation says. Loads and runs
// programs by BPF_PROG_TEST_RUN, attaches nothing; needs root.
import assert from "node:assert/strict";
import { checkCode, emitFunction, runStages } from "../../src/language/compiler/code/index.ts";
import { type Instruction, Opcode } from "../../src/object/asm/index.ts";
import { bytes, createMap, loadObject, type ObjectSpec, u32, u64, VerifierError } from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import {
  expectedOutcome,
  MEMORY_SIZE,
  type RandomProgram,
  randomProgram,
  startingMaps,
  TABLE_ENTRIES,
} from "../support/random-function.ts";

const MAPS = {
  memory: { type: "array", key: u32, value: bytes(MEMORY_SIZE), maxEntries: 1 },
  table: { type: "array", key: u32, value: u64, maxEntries: TABLE_ENTRIES },
} as const;
const FETCHES = kernelIsAtLeast("5.12");
const V4 = kernelIsAtLeast("6.6");
const SEEDS = Number(process.env["SKEP_SEEDS"] ?? pace(1000, 150));
const FIRST = Number(process.env["SKEP_FIRST_SEED"] ?? 1);

/** The program and its functions, one after the other; undefined when they need more stack than there is. */
function assemble(program: RandomProgram, isaV4: boolean): Instruction[] | undefined {
  const instructions: Instruction[] = [];
  const target = {
    byteOrder: "little",
    features: { isaV4, fetchAtomics: FETCHES, probeReadKernel: true },
  } as const;
  let deepest = 0;
  let own = 0;
  // What nothing calls, the kernel calls unreachable. Functions call those before them only.
  const called = new Set<string | undefined>(["main"]);
  for (const func of [program.main, ...program.functions.slice().reverse()]) {
    if (!called.has(func.name)) continue;
    const result = emitFunction(func, target);
    if ("problem" in result) {
      assert.equal(result.problem.kind, "stack");
      return undefined;
    }
    checkCode(runStages(func, target));
    instructions.push(...result.code.instructions);
    for (const { opcode, target: callee } of result.code.instructions) if (opcode === Opcode.CALL) called.add(callee);
    // Frames are counted in multiples of 32 by older kernels.
    const size = Math.ceil(Math.max(result.code.stackSize, 1) / 32) * 32;
    if (func === program.main) own = size;
    else deepest += size;
  }
  return own + deepest > 512 ? undefined : instructions;
}

kernelTest(`${SEEDS} random functions do what they say`, () => {
  using memory = createMap(MAPS.memory);
  using table = createMap(MAPS.table);
  let ran = 0;
  let tooDeep = 0;
  let length = 0;
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const program = randomProgram(seed, { fetchAtomics: FETCHES, variableStack: FETCHES });
    const instructions = assemble(program, V4 && seed % 2 === 0);
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
      maps: MAPS,
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
    const expected = expectedOutcome(program, seed);
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
