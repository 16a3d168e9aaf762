import { Opcode } from "../../../object/asm/index.ts";
import { reversePostorder } from "../ssa/dominators.ts";
import { foldCondition } from "../ssa/fold.ts";
import type { Block, Func, Inst } from "../ssa/ir.ts";
import { MachineBlock, MachineInst } from "./machine.ts";

/** The blocks of a function in machine form and their order; all but those in `sources` have their instructions already. */
export interface BlockPlan {
  readonly order: MachineBlock[];
  /** The blocks that are to be filled with the instructions of a block in SSA form. */
  readonly sources: Map<MachineBlock, Block>;
  /** Where the function returns a constant and does nothing else. */
  readonly returns: Map<MachineBlock, { readonly value: bigint; readonly origin: Inst }>;
}

/**
 * Lays the blocks out: those that are reached, in reverse postorder, so that what leaves a loop or the function stands behind
 * what stays. Critical edges get a block of their own, which holds their moves. Ways to return the same constant become one
 * block.
 */
export function planBlocks(func: Func): BlockPlan {
  const blocks: MachineBlock[] = new Array(func.blockCount);
  const sources: BlockPlan["sources"] = new Map();
  const returns: BlockPlan["returns"] = new Map();
  const returnOf = new Map<bigint, MachineBlock>();
  const order: MachineBlock[] = [];
  let count = 0;
  const newBlock = (depth: number) => new MachineBlock(count++, depth);

  const sourceOrder = reversePostorder(func, laidOutSuccessors);
  for (const source of sourceOrder) {
    const block = newBlock(source.loopDepth);
    blocks[source.id] = block;
    sources.set(block, source);
  }
  const returnBlock = (value: bigint, origin: Inst) => {
    let block = returnOf.get(value);
    if (block === undefined) {
      block = newBlock(0);
      returnOf.set(value, block);
      returns.set(block, { value, origin });
    }
    return block;
  };
  for (const source of sourceOrder) {
    const block = blocks[source.id] as MachineBlock;
    order.push(block);
    const end = source.end as Inst;
    const targets = targetsOf(end);
    const result = end.args[0];
    // Whatever else the block does: its end is shared.
    if (end.op === "return" && result?.op === "const") link(block, returnBlock(BigInt.asIntN(64, result.imm), end), -1);
    for (const to of targets) {
      const number = to.preds.indexOf(source);
      const value = returnedConstant(to, number);
      if (value !== undefined) {
        link(block, returnBlock(value, to.end as Inst), -1);
      } else if (targets.length > 1 && to.preds.length > 1) {
        const target = blocks[to.id] as MachineBlock;
        const middle = newBlock(Math.min(source.loopDepth, to.loopDepth));
        middle.insts.push(new MachineInst("jump", Opcode.JA, end));
        link(block, middle, -1);
        link(middle, target, number);
        order.push(middle);
      } else link(block, blocks[to.id] as MachineBlock, number);
    }
  }
  for (const block of returnOf.values()) {
    // Behind the last that only jumps to it, which then needs no jump.
    let at = order.length;
    while (at > 0 && !onlyJumpsTo(order[at - 1] as MachineBlock, block)) at--;
    order.splice(at === 0 ? order.length : at, 0, block);
  }
  return { order, sources, returns };
}

function link(from: MachineBlock, to: MachineBlock, number: number): void {
  from.succs.push(to);
  to.preds.push(from);
  to.predNumbers.push(number);
}

function onlyJumpsTo(block: MachineBlock, target: MachineBlock): boolean {
  return block.succs.length === 1 && block.succs[0] === target;
}

/** Where the end of a block goes, without blocks that only return a constant: the one that is to follow first. */
function laidOutSuccessors(block: Block): Block[] {
  const found = targetsOf(block.end as Inst).filter(
    (to) => returnedConstant(to, to.preds.indexOf(block)) === undefined,
  );
  if (found.length === 2 && secondFollows(found[0] as Block, found[1] as Block)) found.reverse();
  return found;
}

/** Whether, of the two ways of a branch, the second should stand directly behind it. */
function secondFollows(first: Block, second: Block): boolean {
  if (first.loopDepth !== second.loopDepth) return second.loopDepth > first.loopDepth;
  const firstReturns = first.end?.op === "return";
  if (firstReturns !== (second.end?.op === "return")) return firstReturns;
  return second.end?.op === "jump" && second.end.succs[0] === first;
}

/** The successors that the end of a block can go to. */
function targetsOf({ op, args, condition, succs }: Inst): readonly Block[] {
  const [a, b] = args;
  if (op === "branch" && a?.op === "const" && b?.op === "const")
    return [succs[foldCondition(condition, a.imm, b.imm) ? 0 : 1] as Block];
  return succs;
}

/** The constant that the function returns when `block` is entered by the edge, when it does nothing else there. */
function returnedConstant(block: Block, edge: number): bigint | undefined {
  const end = block.end as Inst;
  if (end.op !== "return" || block.insts.some((inst) => inst.op !== "const")) return undefined;
  let value = end.args[0];
  if (value?.op === "phi" && value.block === block) value = value.args[edge];
  return value?.op === "const" ? BigInt.asIntN(64, value.imm) : undefined;
}
