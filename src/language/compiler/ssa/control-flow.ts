import { branchToJump, moveEnd, removeUnreachable } from "./edges.ts";
import { foldCondition } from "./fold.ts";
import type { Block, Func } from "./ir.ts";
import { Replacements } from "./rewrite.ts";
import { simplify } from "./simplify.ts";

/**
 * Makes the graph as small as it says the same: branches on what is known are jumps, what nothing reaches goes, straight
 * sequences are one block, empty blocks are jumped over, phis of one value are that value. Leaves have to be gathered.
 */
export function simplifyControlFlow(func: Func): boolean {
  let changed = false;
  for (let again = true; again; ) {
    again = foldBranches(func);
    if (removeUnreachable(func)) again = true;
    if (removeTrivialPhis(func)) again = true;
    if (mergeStraight(func)) again = true;
    if (skipEmpty(func)) again = true;
    if (again) changed = true;
  }
  return changed;
}

function foldBranches(func: Func): boolean {
  let changed = false;
  for (const block of func.blocks) {
    const end = block.end!;
    if (end.op !== "branch") continue;
    const [a, b] = end.args;
    if (a!.op !== "const" || b!.op !== "const") continue;
    branchToJump(block, end.succs[foldCondition(end.condition, a!.imm, b!.imm) ? 0 : 1]!);
    changed = true;
  }
  return changed;
}

/** Phis whose operands are all one value, until there are none. */
function removeTrivialPhis(func: Func): boolean {
  const replacements = new Replacements();
  let changed = false;
  for (let again = true; again; ) {
    again = false;
    for (const block of func.blocks)
      for (const phi of block.phis) {
        if (replacements.isReplaced(phi)) continue;
        replacements.resolveArgs(phi);
        const only = simplify(phi);
        if (only === undefined || typeof only === "bigint") continue;
        replacements.replace(phi, only);
        again = true;
        changed = true;
      }
  }
  replacements.apply(func);
  return changed;
}

function mergeStraight(func: Func): boolean {
  let changed = false;
  const merged = new Set<Block>();
  for (const block of func.blocks) {
    if (merged.has(block)) continue;
    for (;;) {
      const end = block.end!;
      const next = end.succs[0];
      if (end.op !== "jump" || next === undefined || next.preds.length !== 1 || next === block) break;
      // With one predecessor its phis are gone.
      for (const inst of next.insts) {
        inst.block = block;
        block.insts.push(inst);
      }
      moveEnd(next, block);
      merged.add(next);
      changed = true;
    }
  }
  if (changed) func.blocks = func.blocks.filter((block) => !merged.has(block));
  return changed;
}

function skipEmpty(func: Func): boolean {
  let changed = false;
  const entry = func.blocks[0];
  for (const block of func.blocks) {
    const end = block.end!;
    if (end.op !== "jump" || block.insts.length > 0 || block.phis.length > 0 || block === entry) continue;
    const to = end.succs[0]!;
    if (to === block) continue;
    for (let i = block.preds.length - 1; i >= 0; i--) {
      const pred = block.preds[i]!;
      const ways = pred.end!.succs;
      if (to.preds.includes(pred)) {
        // Both ways of a branch lead there: it says something only when a phi tells them apart.
        if (to.phis.length > 0) continue;
        branchToJump(pred, to);
        changed = true;
        continue;
      }
      ways[ways.indexOf(block)] = to;
      block.preds.splice(i, 1);
      const index = to.preds.indexOf(block);
      to.preds.push(pred);
      for (const phi of to.phis) phi.args.push(phi.args[index]!);
      changed = true;
    }
  }
  // Those that nothing leads to any more go in the next turn.
  return changed;
}
