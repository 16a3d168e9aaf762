import type { Dominators } from "../ssa/dominators.ts";
import type { Block, Inst } from "../ssa/ir.ts";
import { isLeaf } from "../ssa/leaves.ts";

/**
 * Of which values more is known at the beginning of a block than where they are defined, because a branch on the way compared
 * them: by the block's id. Where ways come together, of those that each of them compared.
 */
export function findComparedValues(dominators: Dominators, heads: ReadonlySet<Block>): (readonly Inst[] | undefined)[] {
  const found: (readonly Inst[] | undefined)[] = [];
  for (const block of dominators.order) {
    if (block.preds.length === 1) {
      const values = comparedAtEnd(block.preds[0]!);
      if (values.length > 0) found[block.id] = values;
    } else if (block.preds.length > 1) {
      // What was known where a loop begins stays true in it: the value itself does not change.
      const ways = heads.has(block) ? block.preds.filter((pred) => !dominators.dominates(block, pred)) : block.preds;
      const values = comparedOnAllWays(block, ways, dominators, found);
      if (values.length > 0) found[block.id] = values;
    }
  }
  return found;
}

/** Numbers that the branch that ends the block compares. */
function comparedAtEnd(block: Block): Inst[] {
  const end = block.end!;
  if (end.op !== "branch") return [];
  return end.args.filter((arg, i) => arg.kind === "scalar" && !isLeaf(arg.op) && end.args.indexOf(arg) === i);
}

function comparedOnAllWays(
  block: Block,
  ways: readonly Block[],
  dominators: Dominators,
  found: readonly (readonly Inst[] | undefined)[],
): Inst[] {
  const top = dominators.idom(block);
  let common: Set<Inst> | undefined;
  for (const pred of ways) {
    const here = new Set<Inst>(comparedAtEnd(pred));
    for (let at: Block | undefined = pred; at !== undefined && at !== top; at = dominators.idom(at))
      for (const value of found[at.id] ?? []) here.add(value);
    if (common === undefined) common = here;
    else for (const value of common) if (!here.has(value)) common.delete(value);
    if (common.size === 0) return [];
  }
  return [...(common ?? [])].filter((value) => value.block !== block && dominators.dominates(value.block, block));
}
