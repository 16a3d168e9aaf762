import { hasEffect } from "../ssa/dead-code.ts";
import type { Func, Inst } from "../ssa/ir.ts";

/** How often each value is used, and by whom last: what decides which instructions are made into one. */
export interface Uses {
  readonly count: Int32Array;
  readonly user: (Inst | undefined)[];
}

/**
 * Counts the uses of values by what has an effect, and by what that uses: instructions that nothing needs are not counted, nor
 * made.
 */
export function countUses(func: Func): Uses {
  const count = new Int32Array(func.instCount);
  const user: (Inst | undefined)[] = new Array(func.instCount);
  const seen = new Uint8Array(func.instCount);
  const work: Inst[] = [];
  const need = (inst: Inst) => {
    if (seen[inst.id] === 0) {
      seen[inst.id] = 1;
      work.push(inst);
    }
  };
  for (const block of func.blocks) {
    for (const inst of block.insts) if (hasEffect(inst)) need(inst);
    if (block.end !== undefined) need(block.end);
  }
  while (work.length > 0) {
    const inst = work.pop() as Inst;
    for (const arg of inst.args) {
      count[arg.id] = (count[arg.id] as number) + 1;
      user[arg.id] = inst;
      need(arg);
    }
  }
  return { count, user };
}
