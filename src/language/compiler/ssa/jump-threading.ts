import { Dominators } from "./dominators.ts";
import { jumpingTo, removeEdge, removeUnreachable } from "./edges.ts";
import { isBinary } from "./fold.ts";
import { decided, impliedBy } from "./implication.ts";
import type { Block, Func, Inst, Op } from "./ir.ts";
import { isLeaf, type Leaves } from "./leaves.ts";
import { Reconstruction, settleKinds } from "./reconstruction.ts";
import { simplify } from "./simplify.ts";

/** Instructions of a block that are repeated for a way that does not go through it any more. */
const REPEATED = 4;
/** Blocks up the way that are asked what they compared. */
const LOOK_BACK = 16;

/**
 * Where a block only decides what is known on one way to it, that way goes directly to where it ends up. So a test of what two
 * arms have set (`const t = m.get(k); if (t === undefined) return`) becomes one with the test that chose between the arms. Ways
 * into loops stay: they are entered at their head. Leaves have to be gathered.
 */
export function threadJumps(func: Func, leaves: Leaves): boolean {
  const dominators = new Dominators(func);
  const heads = new Set<Block>();
  for (const block of func.blocks) if (block.preds.some((pred) => dominators.dominates(block, pred))) heads.add(block);
  const uses = new Uses(func);
  let changed = false;
  // New blocks come behind; they end in jumps.
  for (const block of [...func.blocks]) if (!heads.has(block) && thread(func, block, leaves, uses)) changed = true;
  if (changed) removeUnreachable(func);
  return changed;
}

/** Who uses a value, or did. */
class Uses {
  readonly #users: (Inst[] | undefined)[] = [];

  constructor(func: Func) {
    for (const block of func.blocks) {
      for (const phi of block.phis) this.add(phi);
      for (const inst of block.insts) this.add(inst);
      this.add(block.end!);
    }
  }

  /** Remembers the operands of an instruction. */
  add(user: Inst): void {
    for (const arg of user.args) this.addUse(arg, user);
  }

  addUse(value: Inst, user: Inst): void {
    if (isLeaf(value.op)) return;
    const users = this.#users[value.id];
    if (users === undefined) this.#users[value.id] = [user];
    else users.push(user);
  }

  of(value: Inst): readonly Inst[] {
    return this.#users[value.id] ?? [];
  }
}

function thread(func: Func, block: Block, leaves: Leaves, uses: Uses): boolean {
  const end = block.end!;
  if (end.op !== "branch" || block.preds.length === 0 || block.insts.length > REPEATED) return false;
  if (!block.insts.every((inst) => mayRepeat(inst.op))) return false;
  // With one predecessor it is the same block, or the branch before it decides: that is value numbering's.
  if (block.preds.length === 1) return false;
  const found: { readonly pred: Block; readonly taken: Block; readonly values: Map<Inst, Inst> }[] = [];
  for (let i = 0; i < block.preds.length; i++) {
    const pred = block.preds[i]!;
    const values = onWay(func, block, i, leaves);
    const [a, b] = end.args.map((arg) => values.get(arg) ?? arg) as [Inst, Inst];
    const known = decided(end.condition, a, b) ?? compared(pred, block, end, a, b);
    if (known !== undefined) found.push({ pred, taken: end.succs[known ? 0 : 1]!, values });
  }
  if (found.length === 0) return false;
  const ways: { readonly block: Block; readonly values: Map<Inst, Inst> }[] = [];
  for (const { pred, taken, values } of found) {
    const way = jumpingTo(func, taken, end.span);
    // Repeated for this way alone; what nobody needs goes later.
    for (const inst of block.insts) {
      const copy = values.get(inst)!;
      if (copy.block !== block || way.insts.includes(copy)) continue;
      copy.block = way;
      way.insts.push(copy);
      uses.add(copy);
    }
    const index = taken.preds.indexOf(block);
    for (const phi of taken.phis) {
      const arg = phi.args[index]!;
      const here = values.get(arg) ?? arg;
      phi.args.push(here);
      uses.addUse(here, phi);
    }
    taken.preds.push(way);
    const succs = pred.end!.succs;
    succs[succs.indexOf(block)] = way;
    way.preds.push(pred);
    removeEdge(pred, block);
    ways.push({ block: way, values });
  }
  repair(func, block, ways, leaves, uses);
  return true;
}

function mayRepeat(op: Op): boolean {
  return isBinary(op) || op === "zext" || op === "sext" || op === "neg";
}

/** What the block's values are when it is come to from its predecessor `index`: operands of phis, and copies of the rest. */
function onWay(func: Func, block: Block, index: number, leaves: Leaves): Map<Inst, Inst> {
  const values = new Map<Inst, Inst>();
  for (const phi of block.phis) values.set(phi, phi.args[index]!);
  for (const inst of block.insts) {
    const args = inst.args.map((arg) => values.get(arg) ?? arg);
    const copy = func.newInst(inst.op, args, block, inst.span);
    copy.kind = inst.kind;
    copy.size = inst.size;
    copy.signed = inst.signed;
    copy.variable = inst.variable;
    const simple = simplify(copy);
    values.set(inst, simple === undefined ? copy : typeof simple === "bigint" ? leaves.constant(simple) : simple);
  }
  return values;
}

/** Whether a comparison that was certainly made on the way to the edge from `pred` decides that of `end`. */
function compared(pred: Block, block: Block, end: Inst, a: Inst, b: Inst): boolean | undefined {
  let to = block;
  let from: Block | undefined = pred;
  for (let steps = 0; from !== undefined && steps < LOOK_BACK; steps++) {
    if (from.end!.op === "branch") {
      const known = impliedBy(from, to, end.condition, a, b);
      if (known !== undefined) return known;
    }
    // What is defined here was not compared before.
    if (from.preds.length !== 1 || a.block === from || b.block === from) return undefined;
    to = from;
    from = from.preds[0];
  }
  return undefined;
}

/** The block's values are used where it is not passed on every way any more: there they become phis. */
function repair(
  func: Func,
  block: Block,
  ways: readonly { readonly block: Block; readonly values: Map<Inst, Inst> }[],
  leaves: Leaves,
  uses: Uses,
): void {
  for (const value of [...block.phis, ...block.insts]) {
    const users = [...uses.of(value)];
    if (users.length === 0) continue;
    const reconstruction = new Reconstruction(func, leaves.constant(0n), value.variable);
    reconstruction.define(block, value);
    for (const way of ways) reconstruction.define(way.block, way.values.get(value)!);
    for (const user of users) {
      const { args } = user;
      // In its own block the value is there, and at the block's end.
      for (let i = 0; i < args.length; i++) {
        if (args[i] !== value) continue;
        const pred = user.op === "phi" ? user.block.preds[i]! : undefined;
        if ((pred ?? user.block) === block) continue;
        const here = pred === undefined ? reconstruction.atEntry(user.block) : reconstruction.atEnd(pred);
        args[i] = here;
        uses.addUse(here, user);
      }
    }
    settleKinds(reconstruction.phis);
    for (const phi of reconstruction.phis) uses.add(phi);
  }
}
