import type { Module } from "../hir.ts";
import { giveBackOpen } from "./evaluate-maps.ts";
import { EvaluatedState, EvaluationError, type EvaluationWorld } from "./evaluate-state.ts";
import { callFunction } from "./evaluate-statements.ts";
import { Evaluation, TailCall } from "./evaluation.ts";

/**
 * Evaluates a checked program as it stands, without compiling it: numbers as bigints, maps as JavaScript's, memory as bytes.
 * Slow, and as plain as can be: what the compiled program does is compared with it.
 *
 * It is for one CPU, and nobody comes between. LRU maps let go of what was put in first. Give `state` to go on with what
 * another run left.
 */
export function evaluateModule(
  module: Module,
  program: string,
  world: EvaluationWorld = {},
  state: EvaluatedState = new EvaluatedState(module),
): { readonly result: bigint; readonly state: EvaluatedState } {
  let name = program;
  for (;;) {
    const decl = module.functions.find((each) => each.program !== undefined && each.name === name);
    if (decl === undefined) throw new EvaluationError(`the module has no program ${name}`);
    const evaluation = new Evaluation(state, world);
    try {
      const result = callFunction(evaluation, decl, []);
      return { result: typeof result === "bigint" ? result : 0n, state };
    } catch (gone) {
      if (!(gone instanceof TailCall)) throw gone;
      // The kernel stops after 33 of them; who evaluates sees to it that there are fewer.
      name = gone.program;
    } finally {
      giveBackOpen(evaluation);
    }
  }
}
