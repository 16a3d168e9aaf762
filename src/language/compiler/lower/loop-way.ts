import type { Stmt } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { turnsLoops } from "../target.ts";
import { usesIn } from "./calls.ts";
import { PLAIN, verifiedCost } from "./loop-cost.ts";
import type { Lowering } from "./lowering.ts";
import { MOST_TURNS, type Turns } from "./trip-count.ts";
import { type Uses, usesOf } from "./walk.ts";

export type Of<Op extends Stmt["op"]> = Extract<Stmt, { readonly op: Op }>;

/** A loop is written out when that takes about so many instructions. */
const UNROLLED = 64;
/** Turns that the kernel goes through one by one when how many there are is known at run time only: each may be the last. */
const PLAIN_UNKNOWN = 64;
/** Instructions that the kernel may go through in a plain loop where it knows no better way. */
const BUDGET = 400_000;
/** … and where it does. */
const PLAIN_BUDGET = 50_000;
/** … and where it is to be spared. */
const SPARING_BUDGET = 256;
/**
 * Where it is to be spared and has no means of its own, so many instructions are written out. Before Linux 6.7 the kernel forgets where
 * it has been when it comes to the same place with other numbers a few times, as it does in loops, and goes there again for
 * each branch before: twice the turns are the square of the ways. What is written out has places of its own.
 */
const SPARING_UNROLLED = 6000;

export function uses(l: Lowering, stmt: Stmt): Uses {
  return usesIn(l.unit, stmt);
}

/** What the kernel goes through for one turn. */
function costOfTurn(l: Lowering, stmt: Of<"loop" | "range" | "each">): number {
  const size = (body: readonly Stmt[]) => usesOf(body, (callee) => usesIn(l.unit, callee)).cost;
  return verifiedCost(stmt.op === "loop" ? [...stmt.body, ...stmt.update] : stmt.body, size);
}

/**
 * Hides from the kernel what the numbers begin with that a loop changes. Knowing them, it would follow each turn by itself, as
 * every one begins with other numbers, where they are compared in it or an index behind it; not knowing, it sees that all turns
 * are alike.
 */
export function forgetNumbers(l: Lowering, stmt: Stmt): void {
  const { assigned, declared } = uses(l, stmt);
  for (const local of assigned) {
    if (declared.has(local) || !l.has(local)) continue;
    const storage = l.storage(local);
    const variable = storage.kind === "value" || storage.kind === "pair" ? storage : undefined;
    if (variable === undefined) continue;
    const of = variable.kind === "pair" ? variable.value : variable.variable;
    const now = l.b.read(of);
    if (now.kind === "scalar" && !isUnknown(now)) l.b.write(of, l.b.add(now, l.unknownZero()));
  }
}

/** Whether the kernel knows nothing of the value anyway. */
function isUnknown({ op, size }: Inst): boolean {
  return op === "call" || (op === "load" && size === 8) || op === "atomic";
}

/** Whether loops are written out to spare the kernel. */
export function isWrittenOutToSpare({ unit, target: { features } }: Lowering): boolean {
  return unit.manner === "sparing" && !turnsLoops(features);
}

/** How a loop is turned: written out, as a jump back, by an iterator of the kernel, by a helper that calls its body. */
type Way = "unrolled" | "plain" | "iterator" | "callback";

/** The best way that the kernel takes; undefined, and reported, when there is none. */
export function wayOf(l: Lowering, stmt: Of<"loop" | "range" | "each">, turns: Turns): Way | undefined {
  const { features } = l.target;
  const { most, exact } = turns;
  if (exact && most * uses(l, stmt).cost <= UNROLLED) return "unrolled";
  const verified = most * costOfTurn(l, stmt);
  if (isWrittenOutToSpare(l) && verified <= SPARING_UNROLLED) return "unrolled";
  const budget = l.unit.manner === "sparing" ? SPARING_BUDGET : PLAIN_BUDGET;
  if (most <= (exact ? PLAIN : PLAIN_UNKNOWN) && verified <= budget) return "plain";
  if (turnsLoops(features)) {
    forgetNumbers(l, stmt);
    return features.iterNum ? "iterator" : "callback";
  }
  if (verified <= BUDGET) return "plain";
  l.report("EB4301", stmt.span, `this loop may turn ${shown(most)} times, which Linux ${l.target.release} cannot do`, {
    why: "Before Linux 5.17 the kernel goes through every turn of a loop when it loads the program, and through a million instructions at most.",
    help: "Turn less often (`atMost`), or do part of the work in user space.",
  });
  return undefined;
}

function shown(n: number): string {
  return n.toLocaleString("en-US");
}

export function unbounded(l: Lowering, stmt: Stmt, what: string): void {
  l.report("EB2301", stmt.span, `nothing says how often ${what} turns at most`, {
    why: "The kernel loads a program only when it can see that it ends.",
    help: "Say how often: `for (const i of range(0, n, { atMost: 256 }))`, `while (test && atMost(256))`.",
  });
}

export function tooMany(l: Lowering, stmt: Stmt, most: number): void {
  l.report("EB2302", stmt.span, `this loop may turn ${shown(most)} times`, {
    why: `The kernel lets no loop turn more often than ${shown(MOST_TURNS)} times.`,
    help: "Give a smaller bound.",
  });
}
