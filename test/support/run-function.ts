// Runs random functions as code: in the machine of `skep/testing`, beside the reference evaluation.
import { checkCode, emitFunction, runStages } from "../../src/language/compiler/code/index.ts";
import { Machine } from "../../src/language/interp/index.ts";
import { type Instruction, Opcode } from "../../src/object/asm/index.ts";
import { bytes, u32, u64 } from "../../src/object/codec/index.ts";
import type { ObjectSpec } from "../../src/object/spec/index.ts";
import { MEMORY_SIZE, type Outcome, type RandomProgram, startingMaps, TABLE_ENTRIES } from "./random-function.ts";

export const RANDOM_MAPS = {
  memory: { type: "array", key: u32, value: bytes(MEMORY_SIZE), maxEntries: 1 },
  table: { type: "array", key: u32, value: u64, maxEntries: TABLE_ENTRIES },
} as const;

/** What the kernel at hand can do. */
export interface RandomTarget {
  readonly isaV4: boolean;
  readonly fetchAtomics: boolean;
}

/**
 * The program and the functions it calls, one after the other, each gone through by the checker unless told otherwise; undefined when they need more
 * stack than there is.
 */
export function assemble(program: RandomProgram, features: RandomTarget, checked = true): Instruction[] | undefined {
  const instructions: Instruction[] = [];
  const target = {
    byteOrder: "little",
    features: { ...features, probeReadKernel: true, iterNum: features.isaV4 },
  } as const;
  // What nothing calls, the kernel calls unreachable. Functions call those before them only.
  const called = new Set<string | undefined>([program.main.name]);
  let depth = 0;
  for (const func of [program.main, ...program.functions.slice().reverse()]) {
    if (!called.has(func.name)) continue;
    const result = emitFunction(func, target);
    if ("problem" in result) {
      if (result.problem.kind !== "stack") throw new Error(`a problem of ${result.problem.kind}`);
      return undefined;
    }
    if (checked) checkCode(runStages(func, target));
    instructions.push(...result.code.instructions);
    for (const { opcode, target: callee } of result.code.instructions) if (opcode === Opcode.CALL) called.add(callee);
    // Frames are counted in multiples of 32 by older kernels, and here as if all were called by each other.
    depth += Math.ceil(Math.max(result.code.stackSize, 1) / 32) * 32;
  }
  return depth > 512 ? undefined : instructions;
}

/** What the code leaves behind when the machine of `skep/testing` runs it. */
export function machineOutcome(instructions: readonly Instruction[], seed: number): Outcome {
  const spec = {
    maps: RANDOM_MAPS,
    programs: { main: { type: "socket_filter", license: "GPL", instructions } },
  } as const satisfies ObjectSpec;
  const machine = new Machine(spec, { badReads: "zero" });
  const { memory, table } = startingMaps(seed);
  machine.maps.memory.set(0, memory);
  table.forEach((value, i) => {
    machine.maps.table.set(i, value);
  });
  const { r0 } = machine.run("main", new Uint8Array(192));
  return {
    result: r0,
    memory: machine.maps.memory.get(0) as Uint8Array,
    table: BigUint64Array.from(table, (_, i) => machine.maps.table.get(i) as bigint),
  };
}
