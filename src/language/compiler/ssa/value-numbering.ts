import { strengthen } from "./algebra.ts";
import { Dominators } from "./dominators.ts";
import { branchToJump, removeUnreachable } from "./edges.ts";
import { isCommutative } from "./fold.ts";
import { impliedBy } from "./implication.ts";
import type { Block, Func, Inst } from "./ir.ts";
import { isLeaf, type Leaves } from "./leaves.ts";
import { Replacements } from "./rewrite.ts";
import { narrowStore, simplify } from "./simplify.ts";

/**
 * Simplifies, and computes once what is computed twice: where an equal instruction stands on every way to this one, its value is
 * taken. Which ones may be shared:
 *
 * - arithmetic, extensions and claims, unless an operand was compared on the way from the one to the other: the kernel knows
 *   more of what is computed after the comparison, and so does the range analysis;
 * - `offset` only within a block: an address that was made before a check does not profit from it;
 * - pure calls whose arguments are no memory;
 * - loads of the context, while no store to it and no call that changes it comes between; loads of `.rodata`;
 * - loads of kernel memory while no call comes between that is not pure: it may change under the program at any time, and like
 *   a C compiler we may take two readings for one, but what a call did must be seen;
 * - never loads of maps, rings and globals, which other CPUs write. The own stack is for `promoteSlots` and `forwardStores`.
 */
export function numberValues(func: Func, leaves: Leaves): boolean {
  return new Numbering(func, leaves).run();
}

class Numbering {
  readonly #func: Func;
  readonly #leaves: Leaves;
  readonly #dominators: Dominators;
  readonly #replacements = new Replacements();
  readonly #table = new Map<number, Inst[]>();
  /** How many branches compare the value: none, one, more. */
  readonly #compared: Uint8Array;
  /** What memory of a kind was at the end of a block, as a number: equal numbers, equal memory. */
  readonly #kernelAtEnd: Int32Array;
  readonly #contextAtEnd: Int32Array;
  #memories = 0;
  /** The number that a load saw, by the load's id. */
  readonly #seen: number[] = [];
  #changed = false;
  /** A branch became a jump. */
  #folded = false;

  constructor(func: Func, leaves: Leaves) {
    this.#func = func;
    this.#leaves = leaves;
    this.#dominators = new Dominators(func);
    this.#kernelAtEnd = new Int32Array(func.blockCount);
    this.#contextAtEnd = new Int32Array(func.blockCount);
    this.#compared = new Uint8Array(func.instCount);
    for (const block of func.blocks)
      if (block.end!.op === "branch")
        for (const arg of block.end!.args) this.#compared[arg.id] = Math.min(this.#compared[arg.id]! + 1, 2);
  }

  run(): boolean {
    for (const block of this.#dominators.order) this.#block(block);
    if (this.#replacements.apply(this.#func)) this.#changed = true;
    if (this.#folded) removeUnreachable(this.#func);
    return this.#changed;
  }

  #block(block: Block): void {
    let kernel = this.#atEntry(block, this.#kernelAtEnd);
    let context = this.#atEntry(block, this.#contextAtEnd);
    for (let i = 0; i < block.phis.length; i++) this.#phi(block.phis[i]!, block, i);
    for (const inst of block.insts) {
      this.#replacements.resolveArgs(inst);
      switch (inst.op) {
        case "store":
          if (narrowStore(inst)) this.#changed = true;
          if (inst.args[0]!.kind === "context") context = ++this.#memories;
          continue;
        case "atomic":
          if (inst.args[0]!.kind === "context") context = ++this.#memories;
          continue;
        case "call":
          if (inst.callee!.pure !== true) {
            kernel = ++this.#memories;
            if (inst.callee!.changesContext === true) context = ++this.#memories;
            continue;
          }
          break;
        case "kload":
          this.#seen[inst.id] = kernel;
          break;
        case "load":
          this.#seen[inst.id] = inst.args[0]!.kind === "context" ? context : kernel;
          break;
        default:
          break;
      }
      this.#inst(inst, block);
    }
    this.#kernelAtEnd[block.id] = kernel;
    this.#contextAtEnd[block.id] = context;
    this.#end(block);
  }

  /** The memory that all ways here leave; a new one where they differ or come back. */
  #atEntry(block: Block, atEnd: Int32Array): number {
    const { preds } = block;
    if (preds.length === 0) return ++this.#memories;
    const first = atEnd[preds[0]!.id]!;
    for (const pred of preds) {
      // 0: not walked yet.
      if (atEnd[pred.id] === 0 || atEnd[pred.id] !== first) return ++this.#memories;
    }
    return first;
  }

  #phi(phi: Inst, block: Block, index: number): void {
    this.#replacements.resolveArgs(phi);
    const only = simplify(phi);
    if (only !== undefined && typeof only !== "bigint") {
      this.#replace(phi, only);
      return;
    }
    for (let i = 0; i < index; i++) {
      const other = block.phis[i]!;
      if (this.#replacements.isReplaced(other) || other.nullable !== phi.nullable) continue;
      if (other.args.every((arg, at) => this.#replacements.resolve(arg) === phi.args[at])) {
        this.#replace(phi, other);
        return;
      }
    }
  }

  #inst(inst: Inst, block: Block): void {
    const simple = simplify(inst) ?? strengthen(inst, this.#leaves);
    if (simple !== undefined) {
      this.#replace(inst, typeof simple === "bigint" ? this.#leaves.constant(simple) : simple);
      return;
    }
    if (!mayShare(inst)) return;
    const hash = hashOf(inst);
    const candidates = this.#table.get(hash);
    if (candidates === undefined) {
      this.#table.set(hash, [inst]);
      return;
    }
    for (let i = candidates.length - 1; i >= 0; i--) {
      const other = candidates[i]!;
      if (!this.#same(inst, other) || !this.#dominators.dominates(other.block, block)) continue;
      if (!this.#sameFacts(inst, other.block, block)) continue;
      this.#replace(inst, other);
      return;
    }
    candidates.push(inst);
  }

  #same(a: Inst, b: Inst): boolean {
    if (a.op !== b.op || a.imm !== b.imm || a.size !== b.size || a.signed !== b.signed) return false;
    if (a.kind !== b.kind || a.nullable !== b.nullable || a.args.length !== b.args.length) return false;
    for (let i = 0; i < a.args.length; i++) if (a.args[i] !== b.args[i]) return false;
    switch (a.op) {
      case "call":
        return a.callee!.kind === b.callee!.kind && a.callee!.name === b.callee!.name;
      case "load":
        return isConstantMemory(a.args[0]!) || this.#seen[a.id] === this.#seen[b.id];
      case "kload":
        return this.#seen[a.id] === this.#seen[b.id];
      case "offset":
        return a.block === b.block;
      default:
        return true;
    }
  }

  /** Whether nothing that the instruction computes with was compared between `from` and `to`. */
  #sameFacts(inst: Inst, from: Block, to: Block): boolean {
    if (from === to || inst.op === "load" || inst.op === "kload" || inst.op === "call") return true;
    const compared = inst.args.filter((arg) => !isLeaf(arg.op) && this.#compared[arg.id] !== 0);
    if (compared.length === 0) return true;
    for (let at: Block | undefined = to; at !== undefined && at !== from; at = this.#dominators.idom(at)) {
      // Where ways come together, what was compared on them is not looked for.
      if (at.preds.length !== 1) return false;
      const end = at.preds[0]!.end!;
      if (end.op === "branch" && end.args.some((arg) => compared.includes(arg))) return false;
    }
    return true;
  }

  #replace(inst: Inst, by: Inst): void {
    this.#replacements.replace(inst, by);
    // Comparisons of the one are those of the other now. Constants made meanwhile are beyond the array, and of no matter.
    const compared = this.#compared[inst.id]!;
    if (compared !== 0 && by.id < this.#compared.length)
      this.#compared[by.id] = Math.min(this.#compared[by.id]! + compared, 2);
  }

  #comparedAgain(value: Inst): boolean {
    return !isLeaf(value.op) && this.#compared[value.id] === 2;
  }

  #end(block: Block): void {
    const end = block.end!;
    this.#replacements.resolveArgs(end);
    if (end.op !== "branch") return;
    const [a, b] = end.args as [Inst, Inst];
    if (a.op === "const" && b.op === "const") return;
    if (!this.#comparedAgain(a) && !this.#comparedAgain(b)) return;
    // The same comparison, or one that decides it, on every way here.
    for (let at: Block | undefined = block; at !== undefined; at = this.#dominators.idom(at)) {
      if (at.preds.length !== 1) continue;
      const pred = at.preds[0]!;
      if (pred.end!.op !== "branch") continue;
      const known = impliedBy(pred, at, end.condition, a, b);
      if (known === undefined) continue;
      branchToJump(block, end.succs[known ? 0 : 1]!);
      this.#changed = true;
      this.#folded = true;
      return;
    }
  }
}

/** What may be one value instead of two, if the rest is equal. */
function mayShare(inst: Inst): boolean {
  switch (inst.op) {
    case "load":
      return inst.args[0]!.kind === "context" || isConstantMemory(inst.args[0]!);
    case "call":
      return inst.callee!.reads === undefined && inst.callee!.writes === undefined;
    case "param":
      return false;
    default:
      return !isLeaf(inst.op);
  }
}

/** Memory that nothing changes once the program runs. */
function isConstantMemory(base: Inst): boolean {
  return base.op === "global" && (base.name === ".rodata" || base.name.startsWith(".rodata."));
}

function hashOf(inst: Inst): number {
  const { args } = inst;
  // The operands of commutative operations stand in one order.
  if (args.length === 2 && isCommutative(inst.op) && args[1]!.op !== "const" && args[0]!.id > args[1]!.id)
    args.reverse();
  let hash = inst.op.length * 31 + inst.op.charCodeAt(0) + inst.op.charCodeAt(1) * 7 + inst.size;
  if (inst.imm !== 0n) hash = (hash * 31 + Number(BigInt.asUintN(30, inst.imm))) | 0;
  for (const arg of args) hash = (hash * 31 + arg.id) | 0;
  return hash;
}
