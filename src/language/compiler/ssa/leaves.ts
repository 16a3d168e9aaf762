import type { Block, Func, Inst, Op } from "./ir.ts";
import { Replacements } from "./rewrite.ts";

/** What has no operands and is the same wherever it stands. */
export function isLeaf(op: Op): boolean {
  return op === "const" || op === "slot" || op === "map" || op === "global" || op === "function";
}

/**
 * Constants and fixed addresses, each once, in the first block, for as long as passes are at work: equal ones are the same
 * value, and a block that does nothing is empty. `sink` then puts each back in front of its uses, so that none occupies a
 * register in between.
 */
export class Leaves {
  readonly #func: Func;
  readonly #constants = new Map<bigint, Inst>();

  /** Gathers what is there. */
  constructor(func: Func) {
    this.#func = func;
    const entry = func.blocks[0]!;
    const replacements = new Replacements();
    const others = new Map<string, Inst>();
    const first: Inst[] = [];
    for (const block of func.blocks) {
      let rest: Inst[] | undefined;
      for (let i = 0; i < block.insts.length; i++) {
        const inst = block.insts[i]!;
        if (!isLeaf(inst.op)) {
          rest?.push(inst);
          continue;
        }
        rest ??= block.insts.slice(0, i);
        const same = this.#same(inst, others);
        if (same !== undefined) {
          replacements.replace(inst, same);
          continue;
        }
        inst.block = entry;
        if (inst.op === "const") inst.variable = undefined;
        first.push(inst);
      }
      if (rest !== undefined) block.insts = rest;
    }
    entry.insts = first.concat(entry.insts);
    replacements.apply(func);
  }

  /** One like it that was seen before; else it is the first. */
  #same(inst: Inst, others: Map<string, Inst>): Inst | undefined {
    if (inst.op === "const") {
      const same = this.#constants.get(inst.imm);
      if (same === undefined) this.#constants.set(inst.imm, inst);
      return same;
    }
    const key = `${inst.op} ${inst.kind} ${inst.slot?.id} ${inst.name} ${inst.imm} ${inst.callee?.name}`;
    const same = others.get(key);
    if (same === undefined) others.set(key, inst);
    return same;
  }

  /** The constant. */
  constant(value: bigint): Inst {
    const known = this.#constants.get(value);
    if (known !== undefined) return known;
    const entry = this.#func.blocks[0]!;
    const inst = this.#func.newInst("const", [], entry, this.#func.span);
    inst.imm = value;
    // A new list: a pass may be on its way through the old one.
    entry.insts = [inst, ...entry.insts];
    this.#constants.set(value, inst);
    return inst;
  }

  /** Puts each in front of its first use in each block that uses it. This is the end of the gathering. */
  sink(): void {
    const func = this.#func;
    const entry = func.blocks[0]!;
    entry.insts = entry.insts.filter((inst) => !isLeaf(inst.op));
    const used = new Set<Inst>();
    // Of phis' operands: what is needed at the end of a predecessor.
    const atEnd: (Inst[] | undefined)[] = [];
    for (const block of func.blocks)
      for (const phi of block.phis)
        for (let i = 0; i < phi.args.length; i++) {
          if (!isLeaf(phi.args[i]!.op)) continue;
          const { id } = block.preds[i]!;
          const waiting = atEnd[id];
          if (waiting === undefined) atEnd[id] = [phi];
          else waiting.push(phi);
        }
    for (const block of func.blocks) {
      const here: Inst[] = [];
      const copies: Inst[] = [];
      const insts: Inst[] = [];
      const local = (leaf: Inst, user: Inst): Inst => {
        const at = here.indexOf(leaf);
        if (at !== -1) return copies[at]!;
        const copy = this.#copy(leaf, block, user, used);
        here.push(leaf);
        copies.push(copy);
        insts.push(copy);
        return copy;
      };
      for (const inst of block.insts) {
        sinkOperands(inst, local);
        insts.push(inst);
      }
      sinkOperands(block.end!, local);
      for (const phi of atEnd[block.id] ?? []) {
        const index = phi.block.preds.indexOf(block);
        phi.args[index] = local(phi.args[index]!, phi);
      }
      if (copies.length > 0) block.insts = insts;
    }
  }

  #copy(leaf: Inst, block: Block, user: Inst, used: Set<Inst>): Inst {
    // The first use takes the instruction itself.
    if (!used.has(leaf)) {
      used.add(leaf);
      leaf.block = block;
      return leaf;
    }
    const copy = this.#func.newInst(leaf.op, [], block, user.span);
    copy.kind = leaf.kind;
    copy.imm = leaf.imm;
    copy.slot = leaf.slot;
    copy.name = leaf.name;
    copy.callee = leaf.callee;
    return copy;
  }
}

function sinkOperands(inst: Inst, local: (leaf: Inst, user: Inst) => Inst): void {
  const { args } = inst;
  for (let i = 0; i < args.length; i++) if (isLeaf(args[i]!.op)) args[i] = local(args[i]!, inst);
}
