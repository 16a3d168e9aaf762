import { NOWHERE, type Span } from "../span.ts";
import { isCounted } from "../ssa/counted.ts";
import { Dominators } from "../ssa/dominators.ts";
import type { Block, Func, Inst } from "../ssa/ir.ts";
import { findLoops, type Loop } from "../ssa/loops.ts";

/** About how much a kernel does until it has taken a function. */
export interface Effort {
  /** Instructions that it goes through, those of loops as often as it turns them, those that are called as often as they are. */
  readonly instructions: number;
  /** Other ways of branches that it keeps in mind while it follows one way to its end. */
  readonly pending: number;
  /** Branches in one turn of a loop, of the one that has most of them. */
  readonly spread: number;
  /** The same of loops that the kernel turns itself. */
  readonly turnedSpread: number;
  /** What most of it is for: a loop, which turns so often, or the function. */
  readonly span: Span;
  readonly turns: number | undefined;
}

/** Of what a loop compares with its counter, so many are reckoned with: with more it is too much anyway. */
const MOST_COMPARED = 6;
/** A loop the turns of which nobody wrote down. */
const UNKNOWN_TURNS = 64;
/** How often the kernel looks at what it turns itself (an iterator's loop, a callback) until all turns are alike for it. */
const ALIKE = 3;

/**
 * What programs cost the verifier, by name. Of `functions` callees stand before those who call them. `size` is how many instructions a function
 * has become; those that stand `alone` are looked at once, wherever they are called.
 *
 * The verifier follows each way of a branch until it comes to where it has been with the same in its registers. So both sides of a
 * branch are gone through, and what comes behind them once, as long as they do not leave something behind that makes a difference;
 * a loop that jumps back is gone through turn by turn, and all branches on the way are open until the end is reached. What is
 * compared with the counter in each turn does make a difference: after each test it is known to be above it, or below.
 */
export function effortsOf(
  functions: readonly { readonly func: Func; readonly size: number }[],
  alone: ReadonlySet<string> = new Set(),
): Map<string, Effort> {
  const programs = new Map<string, Effort>();
  const all = new Map<string, Effort>();
  const called = new Map<string, ReadonlySet<string>>();
  const calls = new Map<string, Effort>();
  for (const { func, size } of functions) {
    const own = effortOf(func, size, calls);
    const reached = aloneBelow(func, alone, called);
    called.set(func.name, reached);
    calls.set(func.name, alone.has(func.name) ? ONE : own);
    all.set(func.name, own);
    const others = [...reached].map((name) => all.get(name));
    if (func.kind === "program") programs.set(func.name, withAll(own, others));
  }
  return programs;
}

/** A call of what is looked at elsewhere. */
const ONE: Effort = { instructions: 1, pending: 0, spread: 0, turnedSpread: 0, span: NOWHERE, turns: undefined };

/** The functions that stand alone and are reached from here. */
function aloneBelow(
  func: Func,
  alone: ReadonlySet<string>,
  called: ReadonlyMap<string, ReadonlySet<string>>,
): Set<string> {
  const all = new Set<string>();
  for (const block of func.blocks)
    for (const { callee } of block.insts) {
      if (callee?.kind !== "function") continue;
      if (alone.has(callee.name)) all.add(callee.name);
      for (const name of called.get(callee.name) ?? []) all.add(name);
    }
  return all;
}

function withAll(own: Effort, others: readonly (Effort | undefined)[]): Effort {
  let { instructions, pending, spread, turnedSpread } = own;
  let most = own;
  for (const other of others) {
    if (other === undefined) continue;
    if (other.instructions > most.instructions) most = other;
    instructions += other.instructions;
    pending = Math.max(pending, other.pending);
    spread = Math.max(spread, other.spread);
    turnedSpread = Math.max(turnedSpread, other.turnedSpread);
  }
  return { instructions, pending, spread, turnedSpread, span: most.span, turns: most.turns };
}

function effortOf(func: Func, size: number, callees: ReadonlyMap<string, Effort>): Effort {
  const dominators = new Dominators(func);
  const loops = findLoops(func, dominators);
  const times = timesOf(func, loops);
  const counted = countedTests(loops);
  const repeated = repeatsOf(loops, times);
  const all = func.blocks.reduce((sum, block) => sum + instructionsIn(block), 0);
  const scale = all === 0 ? 1 : size / all;
  const costs = new Map<Block, number>();
  const forks = new Map<Block, number>();
  const open = new Map<Block, number>();
  let instructions = 0;
  let pending = 0;
  let spread = 0;
  let turnedSpread = 0;
  for (const block of dominators.order) {
    const own = ownEffort(block, scale, callees, counted.has(block));
    const often = times.get(block) ?? 1;
    const cost = often * own.instructions * (repeated.get(block) ?? 1);
    costs.set(block, cost);
    forks.set(block, often * own.pending);
    instructions += cost;
    spread = Math.max(spread, own.spread);
    turnedSpread = Math.max(turnedSpread, own.turnedSpread);
    let most = 0;
    // Predecessors that are not there yet are ends of loops.
    for (const pred of block.preds) most = Math.max(most, open.get(pred) ?? 0);
    most += often * own.pending;
    open.set(block, most);
    pending = Math.max(pending, most);
  }
  for (const loop of loops) {
    let inside = 0;
    for (const block of loop.blocks) inside += forks.get(block) ?? 0;
    inside /= times.get(loop.head) ?? 1;
    if (isTurned(loop)) turnedSpread = Math.max(turnedSpread, inside);
    else spread = Math.max(spread, inside);
  }
  return {
    instructions: Math.ceil(instructions),
    pending,
    spread,
    turnedSpread,
    ...costliest(func, loops, costs, instructions),
  };
}

function instructionsIn(block: Block): number {
  return block.insts.length + 1;
}

/** One time through a block. */
function ownEffort(
  block: Block,
  scale: number,
  callees: ReadonlyMap<string, Effort>,
  isCounted: boolean,
): { readonly instructions: number; readonly pending: number; readonly spread: number; readonly turnedSpread: number } {
  let instructions = instructionsIn(block) * scale;
  let pending = block.end?.op === "branch" && !isCounted ? 1 : 0;
  let spread = 0;
  let turnedSpread = 0;
  const add = ({ callee, op }: Inst): void => {
    if (callee?.kind !== "function") return;
    const effort = callees.get(callee.name);
    if (effort === undefined) return;
    const often = op === "function" ? ALIKE : 1;
    instructions += often * effort.instructions;
    pending += often * effort.pending;
    spread = Math.max(spread, effort.spread);
    turnedSpread = Math.max(turnedSpread, effort.turnedSpread, op === "function" ? effort.pending : 0);
  };
  for (const inst of block.insts) add(inst);
  return { instructions, pending, spread, turnedSpread };
}

/** Blocks that end with the test of a counter that the kernel knows, against a constant: it goes one way only. */
function countedTests(loops: readonly Loop[]): Set<Block> {
  const counted = new Set<Block>();
  for (const { head, blocks } of loops)
    for (const block of blocks) {
      const { op, args, succs } = block.end as Inst;
      if (op !== "branch" || succs.every((succ) => blocks.has(succ))) continue;
      const [value, limit] = args as [Inst, Inst];
      if (limit.op !== "const") continue;
      const counter = value.op === "add" || value.op === "sub" ? (value.args[0] as Inst) : value;
      if (counter.op !== "phi" || counter.block !== head) continue;
      if (counter.args.some((arg, i) => arg.op === "const" && !blocks.has(head.preds[i] as Block))) counted.add(block);
    }
  return counted;
}

/** How often each block of a loop is gone through. */
function timesOf(func: Func, loops: readonly Loop[]): Map<Block, number> {
  const times = new Map<Block, number>();
  const innermost = new Map<Block, Loop>();
  for (const loop of loops) for (const block of loop.blocks) innermost.set(block, loop);
  for (const loop of loops) {
    const turns = turnsOf(loop, innermost);
    for (const block of loop.blocks) times.set(block, (times.get(block) ?? 1) * turns);
  }
  for (const block of func.blocks) if (!times.has(block)) times.set(block, 1);
  return times;
}

/**
 * How often the turns of a loop are gone through anew because each may be the first in which a test of something with the counter
 * comes out otherwise: of `turns`, for one such test half, for two of them a sixth of their square …
 */
function repeatsOf(loops: readonly Loop[], times: ReadonlyMap<Block, number>): Map<Block, number> {
  const repeated = new Map<Block, number>();
  for (const loop of loops) {
    const compared = isTurned(loop) ? 0 : Math.min(comparedWithCounter(loop).size, MOST_COMPARED);
    let factor = 1;
    for (let i = 1; i <= compared; i++) factor *= (times.get(loop.head) ?? 1) / (i + 1);
    if (factor > 1) for (const block of loop.blocks) repeated.set(block, (repeated.get(block) ?? 1) * factor);
  }
  return repeated;
}

/** What a loop does not change and compares with what it counts, and goes on. */
function comparedWithCounter({ blocks }: Loop): Set<Inst> {
  const compared = new Set<Inst>();
  for (const { end } of blocks) {
    if (end?.op !== "branch" || end.succs.some((succ) => !blocks.has(succ))) continue;
    const [a, b] = end.args as [Inst, Inst];
    for (const [value, counter] of [
      [a, b],
      [b, a],
    ] as const)
      if (value.op !== "const" && !blocks.has(value.block) && blocks.has(counter.block) && isCounted(counter))
        compared.add(value);
  }
  return compared;
}

/** Optimising may have moved a loop's head: it is one of its own blocks still. */
function turnsOf(loop: Loop, innermost: ReadonlyMap<Block, Loop>): number {
  if (isTurned(loop)) return ALIKE;
  let most: number | undefined;
  for (const block of loop.blocks) {
    if (innermost.get(block) !== loop) continue;
    if (block.turns !== undefined) most = Math.max(most ?? 0, block.turns);
  }
  // The test that ends it is done once more.
  return most === undefined ? UNKNOWN_TURNS : most + 1;
}

/** Whether an iterator of the kernel counts the turns: it is asked where the loop begins. */
function isTurned({ head }: Loop): boolean {
  return head.insts.some(asksIterator);
}

function asksIterator({ op, callee }: Inst): boolean {
  return op === "call" && callee?.kind === "kfunc" && /^bpf_iter_\w+_next$/.test(callee.name);
}

/** Where half of it goes to, or more: the innermost loop, else the function. */
function costliest(
  func: Func,
  loops: readonly Loop[],
  costs: ReadonlyMap<Block, number>,
  all: number,
): Pick<Effort, "span" | "turns"> {
  let best: Loop | undefined;
  for (const loop of loops) {
    let cost = 0;
    for (const block of loop.blocks) cost += costs.get(block) ?? 0;
    if (cost * 2 >= all) best = loop;
  }
  if (best === undefined) return { span: func.span, turns: undefined };
  return { span: best.head.end?.span ?? func.span, turns: best.head.turns };
}
