import type { Diagnostic } from "../diagnostic.ts";
import { type Features, turnsLoops } from "../target.ts";
import type { Effort } from "./effort.ts";

/** The kernel goes through a million instructions (BPF_COMPLEXITY_LIMIT_INSNS) … */
const MOST_INSTRUCTIONS = 900_000;
/** … and keeps 8192 other ways in mind (BPF_COMPLEXITY_LIMIT_JMP_SEQ). */
const MOST_PENDING = 8000;
/** How many times more than estimated it goes through where branches in loops leave differences behind … */
const MOST_FACTOR = 25;
/**
 * … and where the kernel turns the loop: until it is sure that all turns are alike it takes only those states for the same that
 * differ in nothing, each branch more or less doubling them.
 */
const MOST_TURNED_FACTOR = 250;
const TURNED_FACTOR = 8;
/** How many times that it may be, seldom. */
const CAREFUL = 4;
/**
 * Where the kernel has means to turn loops, what is estimated with care at more than so many times what it takes is too much: about one
 * in two thousand of made-up programs is, among them all that such kernels refused (risks of 2.5 and more).
 */
const TRUSTED = 2;
/** Where it has none, less is known of it: one in 500 is, among them the one of 20,000 that Linux 5.10 refused in each form (1.6). */
const TRUSTED_WITHOUT = 1.5;
/** From this share of what it takes on there is a margin no more: then it is spared what it can be. */
const MUCH = 0.3;

/** How much of what the kernel takes: 1 is all of it. */
function share({ instructions, pending, spread, turnedSpread }: Effort, care: number): number {
  const factor = Math.max(
    Math.min(MOST_FACTOR * care, 1 + care * spread),
    Math.min(MOST_TURNED_FACTOR * care, 1 + TURNED_FACTOR * care * turnedSpread),
  );
  return Math.max((instructions * factor) / MOST_INSTRUCTIONS, pending / MOST_PENDING);
}

/** What programs are compared by: the less the better. Being sure is worth something. */
export function risk(effort: Effort): number {
  return share(effort, CAREFUL);
}

export function isMuch(effort: Effort): boolean {
  return risk(effort) > MUCH;
}

/** The risk from which on it is doubtful whether a kernel will take it. */
export function doubtful(features: Pick<Features, "iterNum" | "loop">): number {
  return turnsLoops(features) ? TRUSTED : TRUSTED_WITHOUT;
}

/** An error when it is more than kernels go through, or more of a risk than is `trusted`. */
export function tooMuch(effort: Effort, trusted = Number.POSITIVE_INFINITY): Diagnostic | undefined {
  if (share(effort, 1) <= 1 && risk(effort) <= trusted) return undefined;
  const { span, turns, instructions } = effort;
  const shown = instructions.toLocaleString("en-US");
  return {
    code: "EB5001",
    severity: "error",
    span,
    message: `${turns === undefined ? "this" : `this loop, which turns ${turns.toLocaleString("en-US")} times at most,`} is more than the kernel goes through`,
    why: `Before it takes a program the kernel follows every way through it, over all turns of loops: about ${shown} instructions here, and several times more where branches leave something behind that makes a difference. It gives up after a million.`,
    help: "Turn less often (`atMost`), branch less within the loop, or do part of the work in user space.",
  };
}
