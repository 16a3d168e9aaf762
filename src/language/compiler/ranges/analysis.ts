import { Helper } from "../../../object/asm/index.ts";
import { Dominators } from "../ssa/dominators.ts";
import { isBinary, swapSides } from "../ssa/fold.ts";
import type { Block, Condition, Func, Inst } from "../ssa/ir.ts";
import { findLoops, type Loop } from "../ssa/loops.ts";
import { exactBinary, exactNeg, exactSext, exactZext } from "./exact-transfer.ts";
import { findComparedValues } from "./facts.ts";
import { kernelBinary, kernelZext } from "./kernel-transfer.ts";
import {
  ANY,
  constantRange,
  equal,
  intersect,
  isConstant,
  join,
  type Range,
  rangeFrom,
  rangeOfSize,
  SIGNED_MIN,
  signedRangeFrom,
} from "./range.ts";
import { exactDecides, exactRefine, kernelDecides, kernelRefine } from "./refine.ts";
import { Thresholds } from "./widening.ts";

/**
 * What a value may be: as every kernel's verifier sees it, and in truth. The truth never allows more; it is undefined where
 * nothing is ever computed, although the kernel does not see that.
 */
export interface Known {
  readonly kernel: Range;
  readonly exact: Range | undefined;
}

const ANYTHING: Known = { kernel: ANY, exact: ANY };
/** Turns over the function after which everything that still grows is given up. */
const TURNS = 24;
/** Turns in which heads of loops grow as they will, before they grow by thresholds. */
const FREE_TURNS = 2;
/** Turns after that in which bounds may come down again. */
const NARROWING = 2;

/**
 * Abstract interpretation of a function: from its beginning along its edges until nothing changes any more. What a branch
 * compared is known behind it, of that very value. The kernel walks each way apart; we join where ways meet, and so know less
 * than it, never more.
 */
export class Ranges {
  readonly func: Func;
  readonly dominators: Dominators;
  readonly loops: readonly Loop[];
  /** By the value's id: what is known where it is defined. */
  readonly #known: (Known | undefined)[] = [];
  /** By the block's id: what is known more of values defined above. */
  readonly #facts: (Map<Inst, Known> | undefined)[] = [];
  readonly #compared: (readonly Inst[] | undefined)[];
  readonly #everCompared = new Set<Inst>();
  /** The nearest block, up the dominators and the block itself, that has facts. */
  readonly #holder: (Block | undefined)[] = [];
  readonly #heads: ReadonlySet<Block>;
  /** Heads of loops where the kernel forgets: it widens what it has not needed so far. */
  readonly #forgetful = new Set<Block>();
  readonly #kernelReaches: Uint8Array;
  readonly #reaches: Uint8Array;
  readonly #thresholds: Thresholds;
  /** How often each head has grown: what goes on elsewhere does not count. */
  readonly #growths: Uint16Array;

  constructor(func: Func) {
    this.func = func;
    this.dominators = new Dominators(func);
    this.loops = findLoops(func, this.dominators);
    this.#heads = new Set(this.loops.map((loop) => loop.head));
    for (const loop of this.loops) if (asksIterator(loop)) this.#forgetful.add(loop.head);
    this.#compared = findComparedValues(this.dominators, this.#heads);
    for (const values of this.#compared) for (const value of values ?? []) this.#everCompared.add(value);
    for (const block of this.dominators.order) {
      const idom = this.dominators.idom(block);
      this.#holder[block.id] =
        this.#compared[block.id] !== undefined ? block : idom === undefined ? undefined : this.#holder[idom.id];
    }
    this.#kernelReaches = new Uint8Array(func.blockCount);
    this.#reaches = new Uint8Array(func.blockCount);
    this.#growths = new Uint16Array(func.blockCount);
    this.#thresholds = new Thresholds(func);
    this.#run();
  }

  // Questions

  /** What is known of the value in `block`, which it has to reach. Of blocks that are never executed nothing is true. */
  at(value: Inst, block: Block): Known {
    const known = this.#at(value, block);
    return this.#reaches[block.id] === 1 || known.exact === undefined
      ? known
      : { kernel: known.kernel, exact: undefined };
  }

  #at(value: Inst, block: Block): Known {
    // Most values are never compared.
    if (!this.#everCompared.has(value)) return this.#known[value.id] ?? ANYTHING;
    for (let holder = this.#holder[block.id]; holder !== undefined; ) {
      // Facts of blocks above its definition say nothing of it.
      if (holder !== value.block && !this.dominators.dominates(value.block, holder)) break;
      const fact = this.#facts[holder.id]?.get(value);
      if (fact !== undefined) return fact;
      if (holder === value.block) break;
      const above: Block | undefined = this.dominators.idom(holder);
      holder = above === undefined ? undefined : this.#holder[above.id];
    }
    return this.#known[value.id] ?? ANYTHING;
  }

  /** Whether the kernel walks into the block. */
  kernelReaches(block: Block): boolean {
    return this.#kernelReaches[block.id] === 1;
  }

  /** Whether the block is ever executed, for all we know. */
  reaches(block: Block): boolean {
    return this.#reaches[block.id] === 1;
  }

  /** What is known of a value on the way from `pred` to `block`: what the branch between them compared, too. */
  onEdge(value: Inst, pred: Block, block: Block): Known {
    const known = this.at(value, pred);
    const end = pred.end!;
    if (end.op !== "branch" || value.op === "const") return known;
    const holds = end.succs[0] === block;
    const [a, b] = end.args as [Inst, Inst];
    let result = known;
    if (value === a && b !== a) result = refine(result, end.condition, this.at(b, pred), holds);
    else if (value === b && b !== a) result = refine(result, swapSides(end.condition), this.at(a, pred), holds);
    return result;
  }

  /** Which way the branch that ends the block goes for certain, as the kernel sees it: whether its condition holds. */
  kernelTakes(block: Block): boolean | undefined {
    const sides = this.#sides(block);
    return sides === undefined ? undefined : kernelDecides(block.end!.condition, sides[0].kernel, sides[1].kernel);
  }

  /** Which way the branch that ends the block goes in truth, where that is known and the block is ever executed. */
  truthTakes(block: Block): boolean | undefined {
    return this.reaches(block) ? this.#exactTakes(block) : undefined;
  }

  #exactTakes(block: Block): boolean | undefined {
    const [a, b] = this.#sides(block)?.map(({ exact }) => exact) ?? [];
    return a === undefined || b === undefined ? undefined : exactDecides(block.end!.condition, a, b);
  }

  /** What is known of the two numbers that the branch that ends the block compares. */
  #sides(block: Block): readonly [Known, Known] | undefined {
    const { op, args } = block.end!;
    if (op !== "branch") return undefined;
    const [a, b] = args as [Inst, Inst];
    if (a.kind !== "scalar" || b.kind !== "scalar") return undefined;
    return [this.#value(a, block), this.#value(b, block)];
  }

  // The walk

  #run(): void {
    const { order } = this.dominators;
    this.#kernelReaches[order[0]!.id] = 1;
    this.#reaches[order[0]!.id] = 1;
    if (this.loops.length === 0) {
      for (const block of order) this.#block(block, false);
      return;
    }
    for (let changed = true; changed; ) {
      changed = false;
      for (const block of order) if (this.#block(block, true)) changed = true;
    }
    for (let i = 0; i < NARROWING; i++) for (const block of order) this.#block(block, false);
  }

  /**
   * Computes what is known in a block. Heads of loops only grow, where they are to; otherwise the result is taken as it is. Returns
   * whether something that blocks before it depend on has changed.
   */
  #block(block: Block, grows: boolean): boolean {
    if (this.#kernelReaches[block.id] === 0) return false;
    this.#learn(block);
    let changed = false;
    const isHead = this.#heads.has(block);
    const turn = this.#growths[block.id]!;
    for (const phi of block.phis) {
      let known = this.#phi(phi, block);
      const before = this.#known[phi.id];
      if (isHead && grows && before !== undefined) {
        known = this.#grow(before, known, turn);
        if (!same(before, known)) changed = true;
      } else if (isHead && before === undefined) changed = true;
      this.#known[phi.id] = known;
    }
    if (changed) this.#growths[block.id] = turn + 1;
    const executed = this.#reaches[block.id] === 1;
    for (const inst of block.insts) this.#known[inst.id] = this.#inst(inst, block, executed);
    if (this.#leave(block, executed)) changed = true;
    return changed;
  }

  /** Facts of the block's beginning. */
  #learn(block: Block): void {
    const compared = this.#compared[block.id];
    if (compared === undefined) return;
    const facts = new Map<Inst, Known>();
    for (const value of compared) {
      let known: Known | undefined;
      for (const pred of block.preds) {
        if (this.#kernelReaches[pred.id] === 0) continue;
        // The loop's own end adds nothing: the value is one from before it.
        if (this.#heads.has(block) && this.dominators.dominates(block, pred)) continue;
        const here = this.onEdge(value, pred, block);
        known = known === undefined ? here : joined(known, here);
      }
      if (known !== undefined) facts.set(value, known);
    }
    this.#facts[block.id] = facts;
  }

  #phi(phi: Inst, block: Block): Known {
    if (phi.kind !== "scalar") return ANYTHING;
    let known: Known | undefined;
    for (let i = 0; i < phi.args.length; i++) {
      const pred = block.preds[i]!;
      const arg = phi.args[i]!;
      // What was not walked yet adds nothing yet.
      if (this.#kernelReaches[pred.id] === 0 || this.#known[arg.id] === undefined) continue;
      // The kernel does not walk along the edge.
      const taken = this.kernelTakes(pred);
      if (taken !== undefined && pred.end!.succs[taken ? 0 : 1] !== block) continue;
      const here = this.onEdge(arg, pred, block);
      const gone = this.#exactTakes(pred);
      // Nothing ever comes along the edge, although the kernel does not see that.
      const isNever = gone !== undefined && pred.end!.succs[gone ? 0 : 1] !== block;
      const way = isNever ? { kernel: here.kernel, exact: undefined } : here;
      known = known === undefined ? way : joined(known, way);
    }
    known ??= { kernel: ANY, exact: undefined };
    if (this.#forgetful.has(block)) return { kernel: ANY, exact: known.exact };
    return known;
  }

  #value(value: Inst, block: Block): Known {
    return value.op === "const" ? constant(value) : this.at(value, block);
  }

  #grow(before: Known, now: Known, turn: number): Known {
    const kernel = join(before.kernel, now.kernel);
    const exact = joinExact(before.exact, now.exact);
    if (turn < FREE_TURNS) return { kernel, exact };
    if (turn > TURNS)
      return {
        kernel: equal(kernel, before.kernel) ? kernel : ANY,
        exact: equalExact(exact, before.exact) ? exact : ANY,
      };
    return {
      kernel: this.#thresholds.widen(before.kernel, kernel),
      exact: before.exact === undefined || exact === undefined ? exact : this.#thresholds.widen(before.exact, exact),
    };
  }

  /** Marks what the block's end leads to. Returns whether that is news. */
  #leave(block: Block, executed: boolean): boolean {
    const end = block.end!;
    const kernel = this.kernelTakes(block);
    const exact = executed ? this.#exactTakes(block) : undefined;
    let changed = false;
    for (let i = 0; i < end.succs.length; i++) {
      const { id } = end.succs[i]!;
      if (kernel !== undefined && kernel !== (i === 0)) continue;
      if (this.#kernelReaches[id] === 0) {
        this.#kernelReaches[id] = 1;
        changed = true;
      }
      if (!executed || (exact !== undefined && exact !== (i === 0)) || this.#reaches[id] === 1) continue;
      this.#reaches[id] = 1;
      changed = true;
    }
    return changed;
  }

  #inst(inst: Inst, block: Block, executed: boolean): Known {
    if (inst.op === "const") return constant(inst);
    if (inst.kind !== "scalar") return ANYTHING;
    const known = this.#compute(inst, block);
    return executed || known.exact === undefined ? known : { kernel: known.kernel, exact: undefined };
  }

  #compute(inst: Inst, block: Block): Known {
    const { op, args, size } = inst;
    if (isBinary(op)) {
      const a = this.#value(args[0]!, block);
      const b = this.#value(args[1]!, block);
      const kernel = kernelBinary(op, a.kernel, b.kernel);
      if (a.exact === undefined || b.exact === undefined) return { kernel, exact: undefined };
      return both(
        kernel,
        exactBinary(op, a.exact, b.exact),
        a.exact === a.kernel && b.exact === b.kernel ? kernel : kernelBinary(op, a.exact, b.exact),
      );
    }
    switch (op) {
      case "load":
      case "kload":
        return plain(rangeOfSize(size, inst.signed));
      case "atomic":
        return plain(rangeOfSize(size, false));
      case "neg": {
        const { exact } = this.#value(args[0]!, block);
        return { kernel: ANY, exact: exact === undefined ? undefined : exactNeg(exact) };
      }
      case "bswap": {
        const { exact } = this.#value(args[0]!, block);
        return { kernel: ANY, exact: exact === undefined ? undefined : rangeOfSize(size, false) };
      }
      case "zext": {
        const { kernel, exact } = this.#value(args[0]!, block);
        return both(kernelZext(kernel, size), exact === undefined ? undefined : exactZext(exact, size));
      }
      case "sext": {
        const { exact } = this.#value(args[0]!, block);
        return both(rangeOfSize(size, true), exact === undefined ? undefined : exactSext(exact, size));
      }
      case "bound": {
        // As it is once it is proven, or clamped.
        const { kernel, exact } = this.#value(args[0]!, block);
        const claimed = rangeFrom(0n, inst.imm - 1n);
        return {
          kernel: intersect(kernel, claimed) ?? claimed,
          exact: exact === undefined ? undefined : (intersect(exact, claimed) ?? claimed),
        };
      }
      case "fits": {
        const { kernel, exact } = this.#value(args[0]!, block);
        if (exact === undefined) return { kernel, exact };
        const claimed = rangeOfSize(size, inst.signed);
        return { kernel, exact: intersect(exact, claimed) ?? claimed };
      }
      case "call":
        return this.#call(inst, block);
      default:
        return ANYTHING;
    }
  }

  /** Of helpers that give how much they wrote, or an error, the kernel knows that it is no more than there was room for. */
  #call(inst: Inst, block: Block): Known {
    const { callee, args } = inst;
    const size = callee!.kind === "helper" ? SIZE_ARGUMENT.get(callee!.id) : undefined;
    const room = size === undefined ? undefined : args[size];
    if (room === undefined) return ANYTHING;
    const { kernel } = this.#value(room, block);
    if (kernel.umax > MOST_ROOM) return ANYTHING;
    return { kernel: signedRangeFrom(SIGNED_MIN, kernel.umax), exact: signedRangeFrom(-MOST_ERRNO, kernel.umax) };
  }
}

/** Of helpers that give how much they wrote: which argument says how much fits. */
const SIZE_ARGUMENT: ReadonlyMap<number, number> = new Map([
  [Helper.probe_read_str, 1],
  [Helper.get_stack, 2],
  [Helper.probe_read_user_str, 1],
  [Helper.probe_read_kernel_str, 1],
]);
/** What the kernel takes for a size (BPF_MAX_VAR_SIZ is 2^29). */
const MOST_ROOM = 1n << 29n;
const MOST_ERRNO = 4095n;

/** An open-coded iterator asks for the next element in it: there the kernel gives up what it did not need to be exact. */
function asksIterator(loop: Loop): boolean {
  for (const block of loop.blocks)
    for (const inst of block.insts)
      if (inst.op === "call" && inst.callee!.kind === "kfunc" && /^bpf_iter_\w+_next$/.test(inst.callee!.name))
        return true;
  return false;
}

function constant(inst: Inst): Known {
  return plain(constantRange(inst.imm));
}

function plain(range: Range): Known {
  return { kernel: range, exact: range };
}

/** The truth is what all of these say. Contradictions mean that it is never computed. */
function both(kernel: Range, exact: Range | undefined, more: Range = kernel): Known {
  if (exact === undefined) return { kernel, exact };
  const first = intersect(exact, kernel);
  return { kernel, exact: first === undefined || more === kernel ? first : intersect(first, more) };
}

function refine(known: Known, condition: Condition, other: Known, holds: boolean): Known {
  // Without a constant on the other side old kernels learn nothing. What cannot be for them they do not know any more.
  const kernel = isConstant(other.kernel)
    ? (kernelRefine(known.kernel, condition, other.kernel.bits.value, holds) ?? ANY)
    : known.kernel;
  let exact =
    known.exact === undefined || other.exact === undefined
      ? undefined
      : exactRefine(known.exact, condition, other.exact, holds);
  if (exact !== undefined) exact = intersect(exact, kernel);
  return { kernel, exact };
}

function joined(a: Known, b: Known): Known {
  return { kernel: join(a.kernel, b.kernel), exact: joinExact(a.exact, b.exact) };
}

function joinExact(a: Range | undefined, b: Range | undefined): Range | undefined {
  return a === undefined ? b : b === undefined ? a : join(a, b);
}

function equalExact(a: Range | undefined, b: Range | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && equal(a, b));
}

function same(a: Known, b: Known): boolean {
  return equal(a.kernel, b.kernel) && equalExact(a.exact, b.exact);
}
