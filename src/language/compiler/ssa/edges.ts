import type { Span } from "../span.ts";
import type { Block, Func } from "./ir.ts";
import { SsaError } from "./ssa-error.ts";

/** Takes away the edge, and what the phis of `to` had from it. The end of `from` is the caller's to change. */
export function removeEdge(from: Block, to: Block): void {
  const index = edgeNumber(from, to);
  to.preds.splice(index, 1);
  for (const phi of to.phis) phi.args.splice(index, 1);
}

/** Makes the branch that ends `block` a jump to `taken`, one of its successors. */
export function branchToJump(block: Block, taken: Block): void {
  const end = block.end!;
  for (const succ of end.succs) if (succ !== taken) removeEdge(block, succ);
  end.op = "jump";
  end.args.length = 0;
  end.succs.length = 0;
  end.succs.push(taken);
}

/** Makes what ends `from` the end of `to`. */
export function moveEnd(from: Block, to: Block): void {
  const end = from.end!;
  end.block = to;
  to.end = end;
  for (const succ of end.succs) succ.preds[edgeNumber(from, succ)] = to;
}

/** Which of the predecessors of `to` it is. That there is none is a fault of a pass: what it went on with would be another edge. */
function edgeNumber(from: Block, to: Block): number {
  const index = to.preds.indexOf(from);
  if (index === -1) throw new SsaError("malformed", `b${to.id} does not know of the edge from b${from.id}`);
  return index;
}

/** A new block that only jumps to `to`. The edge is the caller's to add there, with what the phis have from it. */
export function jumpingTo(func: Func, to: Block, span: Span): Block {
  const block = func.newBlock();
  block.end = func.newInst("jump", [], block, span);
  block.end.succs.push(to);
  return block;
}

/** Takes out blocks that nothing leads to. Returns whether there were any. */
export function removeUnreachable(func: Func): boolean {
  const reached = new Uint8Array(func.blockCount);
  const work: Block[] = [func.blocks[0]!];
  reached[func.blocks[0]!.id] = 1;
  let count = 1;
  for (let block = work.pop(); block !== undefined; block = work.pop())
    for (const succ of block.end!.succs) {
      if (reached[succ.id] === 1) continue;
      reached[succ.id] = 1;
      count++;
      work.push(succ);
    }
  if (count === func.blocks.length) return false;
  for (const block of func.blocks) {
    if (reached[block.id] === 1) continue;
    for (const succ of block.end!.succs) if (reached[succ.id] === 1) removeEdge(block, succ);
  }
  func.blocks = func.blocks.filter((block) => reached[block.id] === 1);
  return true;
}
