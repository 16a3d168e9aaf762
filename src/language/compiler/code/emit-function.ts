import type { Instruction } from "../../../object/asm/index.ts";
import type { Span } from "../span.ts";
import type { Func } from "../ssa/ir.ts";
import { type Emission, emitInstructions } from "./emit.ts";
import { type Frame, layOutFrame } from "./frame.ts";
import { buildIntervals } from "./intervals.ts";
import { type Allocation, allocate } from "./linear-scan.ts";
import { analyseLiveness } from "./liveness.ts";
import type { MachineFunction } from "./machine.ts";
import { type CodeProblem, CodeProblemError } from "./problem.ts";
import { relaxJumps } from "./relax.ts";
import { resolveMoves } from "./resolve.ts";
import { type CodeTarget, selectInstructions } from "./select.ts";
import { locateValues, type ValueLocation } from "./values.ts";

/** The code of one function. */
export interface FunctionCode {
  /**
   * The first is labelled with the function's name; jumps, calls of functions and their addresses have `target`, maps `map`
   * and `mapValueOffset`, kernel functions `extern`.
   */
  readonly instructions: readonly Instruction[];
  /** What of the source each instruction is for. */
  readonly spans: readonly Span[];
  /** Bytes of stack it takes, a multiple of 8. */
  readonly stackSize: number;
  /** Which variable is where at which instruction; found when it is asked for. */
  values(): readonly ValueLocation[];
}

export type CodeResult = { readonly code: FunctionCode } | { readonly problem: CodeProblem };

/** What the passes made of a function: what the checker compares. */
export interface Stages {
  readonly machine: MachineFunction;
  readonly allocation: Allocation;
  readonly frame: Frame;
  readonly emission: Emission;
}

/**
 * Makes the code of a function: selection, registers, stack, layout. Gives a problem, not an error, where the source asks for
 * what the machine or the kernel does not have.
 */
export function emitFunction(func: Func, target: CodeTarget): CodeResult {
  let stages: Stages;
  try {
    stages = runStages(func, target);
  } catch (error) {
    if (error instanceof CodeProblemError) return { problem: error.problem };
    throw error;
  }
  const { emission, frame } = stages;
  const { instructions, spans } = relaxJumps(func.name, emission.instructions, emission.spans, target.features);
  return {
    code: { instructions, spans, stackSize: frame.size, values: () => locateValues(stages, instructions) },
  };
}

/** The passes but for the last, which only makes jumps reach. Throws CodeProblemError. */
export function runStages(func: Func, target: CodeTarget): Stages {
  const machine = selectInstructions(func, target);
  analyseLiveness(machine);
  const intervals = buildIntervals(machine, !target.features.iterNum);
  const allocation = allocate(machine, intervals);
  const moves = resolveMoves(machine, allocation, intervals.fixed);
  const frame = layOutFrame(machine, allocation, moves);
  return { machine, allocation, frame, emission: emitInstructions(machine, allocation, moves, frame) };
}
