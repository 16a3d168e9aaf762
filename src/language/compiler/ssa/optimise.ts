import { simplifyControlFlow } from "./control-flow.ts";
import { removeDeadCode } from "./dead-code.ts";
import { forwardStores } from "./forward-stores.ts";
import type { Func } from "./ir.ts";
import { threadJumps } from "./jump-threading.ts";
import { Leaves } from "./leaves.ts";
import { findLoops } from "./loops.ts";
import { promoteSlots } from "./promote-slots.ts";
import { numberValues } from "./value-numbering.ts";

/** Threading may make more threading possible; each turn takes a decision away, so few turns do. */
const TURNS = 6;

export interface OptimiseOptions {
  /** Called after each pass: for dumps, timers and checks. */
  readonly after?: ((pass: string, func: Func) => void) | undefined;
}

/**
 * Makes a function small: in place, the same in what it does. Claims (`bound`, `fits`) stay for the range analysis. What is
 * deliberately left as it stands, because the kernel's verifier understands programs as they are written: comparisons are not
 * merged or made arithmetic (that is for the very end: ranges/flatten.ts), nothing moves above a branch that guards it, and an address
 * with a distance that is known only at run time is computed where it is used, once.
 */
export function optimise(func: Func, options: OptimiseOptions = {}): void {
  const { after } = options;
  const leaves = new Leaves(func);
  after?.("leaves", func);
  simplifyControlFlow(func);
  after?.("control-flow", func);
  if (promoteSlots(func, leaves)) after?.("promote-slots", func);
  for (let turn = 0; turn < TURNS; turn++) {
    let changed = forwardStores(func, leaves);
    after?.("forward-stores", func);
    if (numberValues(func, leaves)) changed = true;
    after?.("value-numbering", func);
    // Unreachable blocks would be threaded too.
    if (simplifyControlFlow(func)) changed = true;
    after?.("control-flow", func);
    if (threadJumps(func, leaves)) {
      changed = true;
      after?.("jump-threading", func);
      simplifyControlFlow(func);
      after?.("control-flow", func);
    }
    if (removeDeadCode(func)) changed = true;
    after?.("dead-code", func);
    if (!changed) break;
  }
  leaves.sink();
  findLoops(func);
  after?.("sink", func);
}
