import type { Block, Func } from "./ir.ts";

/** More than this are as good as many. */
const MOST = 4;

/**
 * How many things that have to be given back (records of rings, iterators) a block may hold at its end, at most; by the block's id.
 * A record that was not there to be had is not held.
 */
export function heldAtEnds(func: Func): Uint8Array {
  const held = new Uint8Array(func.blockCount);
  const takes = func.blocks.some(({ insts }) => insts.some(({ callee }) => callee?.takes === true));
  if (!takes) return held;
  const begins = new Uint8Array(func.blockCount);
  const work = [...func.blocks].reverse();
  for (let block = work.pop(); block !== undefined; block = work.pop()) {
    let count = begins[block.id]!;
    for (const { callee } of block.insts) {
      if (callee?.takes === true) count = Math.min(count + 1, MOST);
      else if (callee?.givesBack === true && count < MOST) count = Math.max(count - 1, 0);
    }
    held[block.id] = count;
    const absent = absentWay(block);
    for (const succ of block.end!.succs) {
      const there = succ === absent && count < MOST ? Math.max(count - 1, 0) : count;
      if (there <= begins[succ.id]!) continue;
      begins[succ.id] = there;
      work.push(succ);
    }
  }
  return held;
}

/** Where the block goes when what was to be taken was not there. */
function absentWay({ end }: Block): Block | undefined {
  if (end?.op !== "branch" || (end.condition !== "eq" && end.condition !== "ne")) return undefined;
  const [value, zero] = end.args;
  if (value?.callee?.takes !== true || zero?.op !== "const" || zero.imm !== 0n) return undefined;
  return end.succs[end.condition === "eq" ? 0 : 1];
}
