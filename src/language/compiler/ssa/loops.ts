import { Dominators } from "./dominators.ts";
import type { Block, Func } from "./ir.ts";

/** A natural loop: a head that dominates its body, entered only there. */
export interface Loop {
  readonly head: Block;
  /** All of it, the head and inner loops too. */
  readonly blocks: ReadonlySet<Block>;
  /** Where edges back to the head come from. */
  readonly latches: readonly Block[];
}

/** The loops of a function, outer ones before those within them. Sets the `loopDepth` of all blocks. */
export function findLoops(func: Func, dominators: Dominators = new Dominators(func)): Loop[] {
  for (const block of func.blocks) block.loopDepth = 0;
  const loops: Loop[] = [];
  for (const head of dominators.order) {
    const latches = head.preds.filter((pred) => dominators.dominates(head, pred));
    if (latches.length === 0) continue;
    const blocks = new Set<Block>([head, ...latches]);
    // Everything from which a latch is reached without passing the head. What is added during the walk is walked too.
    for (const block of blocks) if (block !== head) for (const pred of block.preds) blocks.add(pred);
    for (const block of blocks) block.loopDepth++;
    loops.push({ head, blocks, latches });
  }
  return loops;
}
