import type { Diagnostic } from "../diagnostic.ts";
import { simplifyControlFlow } from "../ssa/control-flow.ts";
import { removeDeadCode } from "../ssa/dead-code.ts";
import { branchToJump, jumpingTo, moveEnd, removeEdge } from "../ssa/edges.ts";
import { powerOfTwo } from "../ssa/fold.ts";
import { heldAtEnds } from "../ssa/held.ts";
import type { Block, Claim, Func, Inst } from "../ssa/ir.ts";
import { Leaves } from "../ssa/leaves.ts";
import { findLoops } from "../ssa/loops.ts";
import { Replacements } from "../ssa/rewrite.ts";
import { type Known, Ranges } from "./analysis.ts";
import { type Choice, choiceOf, flattenChoices } from "./flatten.ts";
import { type Range, rangeOfSize, rangeText } from "./range.ts";

export interface ProveOptions {
  /**
   * Whether the kernel knows the bounds of a number that was spilled to the stack and comes back, also those that it learned
   * meanwhile (Linux 6.8). Where it does not, and registers may run out, each bound is made visible where it is used. Default true.
   */
  readonly spillsKeepBounds?: boolean;
  /** Whether the verifier is to be spared, also where the program gets longer. Default false. */
  readonly sparing?: boolean;
}

/**
 * Proves what a function claims, or says what it cannot (one error for each claim). In place: no `bound` and no `fits` is left.
 *
 * - What the kernel sees itself needs nothing.
 * - What is true, but not for the kernel to see (after a division, a remainder, a comparison of two variables), becomes a clamp that
 *   it sees: a mask where the bound is a power of two, else a comparison of the value that is used, whose other way never is taken.
 * - A value that fits, fits: nothing is needed but the proof.
 *
 * Branches whose outcome the kernel knows are folded with what they guard: they tell it nothing. Comparisons that are decided only in
 * truth stay: they may be what it learns from; but the way that is never taken ends the function at once. What the kernel would make
 * of numbers there that cannot be is anybody's guess: since Linux 6.8 it forgets what it knew of them. Comparisons that only say which
 * of 0 and 1 something is are computed (flatten.ts). After this no pass may recompute or move values across branches.
 */
export function proveRanges(func: Func, options: ProveOptions = {}): Diagnostic[] {
  const seen = options.spillsKeepBounds ?? true;
  const ranges = new Ranges(func);
  const diagnostics: Diagnostic[] = [];
  const replacements = new Replacements();
  const clamps: Inst[] = [];
  const choices: Choice[] = [];
  const dead: { readonly block: Block; readonly taken: boolean }[] = [];
  for (const block of func.blocks) {
    if (!ranges.kernelReaches(block)) continue;
    for (const inst of block.insts) {
      if (inst.op !== "bound" && inst.op !== "fits") continue;
      const arg = inst.args[0]!;
      const known = ranges.at(arg, block);
      const isSeen = known.kernel.umax < inst.imm && (seen || arg.op === "const");
      if (inst.op === "bound" && !isSeen && isBelow(known, inst.imm)) {
        clamps.push(inst);
        continue;
      }
      const proven = inst.op === "bound" ? isBelow(known, inst.imm) : doesFit(inst, known);
      if (!proven) diagnostics.push(complaint(inst, inst.claim!, known.exact!));
      replacements.replace(inst, arg);
    }
    if (foldBranch(block, ranges)) continue;
    const taken = ranges.truthTakes(block);
    if (taken !== undefined) dead.push({ block, taken });
    else {
      const choice = choiceOf(block, ranges);
      if (choice !== undefined) choices.push(choice);
    }
  }
  replacements.apply(func);
  // After all questions were asked: clamps make new blocks.
  const leaves = new Leaves(func);
  flattenChoices(func, choices, leaves, options.sparing ?? false);
  if (dead.length > 0) endWays(func, dead, leaves);
  for (const inst of clamps) clamp(func, inst, leaves);
  dropClaims(func);
  simplifyControlFlow(func);
  removeDeadCode(func);
  leaves.sink();
  findLoops(func);
  return diagnostics;
}

function isBelow(known: Known, limit: bigint): boolean {
  return known.exact === undefined || known.exact.umax < limit;
}

function doesFit(inst: Inst, known: Known): boolean {
  const { exact } = known;
  if (exact === undefined) return true;
  const all = rangeOfSize(inst.size, inst.signed);
  return inst.signed ? exact.smin >= all.smin && exact.smax <= all.smax : exact.umax <= all.umax;
}

function complaint(inst: Inst, claim: Claim, range: Range): Diagnostic {
  const say = (text: string): string => text.replaceAll("{range}", rangeText(range));
  return {
    code: claim.code,
    severity: "error",
    message: say(claim.message),
    span: inst.span,
    ...(claim.why === undefined ? {} : { why: say(claim.why) }),
    ...(claim.help === undefined ? {} : { help: say(claim.help) }),
  };
}

/** A branch that the kernel itself knows the outcome of is none. Whether it was one. */
function foldBranch(block: Block, ranges: Ranges): boolean {
  const taken = ranges.kernelTakes(block);
  if (taken !== undefined) branchToJump(block, block.end!.succs[taken ? 0 : 1]!);
  return taken !== undefined;
}

/** Has ways that are never taken return 0, where nothing is held that would have to be given back first. */
function endWays(func: Func, dead: readonly { block: Block; taken: boolean }[], leaves: Leaves): void {
  const gives = func.blocks.every(({ end }) => end?.op !== "return" || end.args[0]?.kind === "scalar");
  if (!gives) return;
  const held = heldAtEnds(func);
  for (const { block, taken } of dead) {
    const end = block.end!;
    const at = taken ? 1 : 0;
    const never = end.succs[at]!;
    if (held[block.id] !== 0 || end.op !== "branch" || never === end.succs[1 - at] || never.end?.op === "return")
      continue;
    removeEdge(block, never);
    const exit = func.newBlock();
    exit.end = func.newInst("return", [leaves.constant(0n)], exit, end.span);
    exit.preds.push(block);
    end.succs[at] = exit;
  }
}

/** Makes of a bound that is true one that the kernel sees, on the very value that is used. */
function clamp(func: Func, inst: Inst, leaves: Leaves): void {
  const { block, imm } = inst;
  const value = inst.args[0]!;
  if (powerOfTwo(imm) !== -1) {
    inst.op = "and";
    inst.imm = 0n;
    inst.claim = undefined;
    inst.args.push(leaves.constant(imm - 1n));
    return;
  }
  const at = block.insts.indexOf(inst);
  // What comes after goes into a block of its own; the way past the comparison gives 0, which is below every bound.
  const rest = func.newBlock();
  rest.insts = block.insts.slice(at + 1);
  for (const each of rest.insts) each.block = rest;
  moveEnd(block, rest);
  block.insts = block.insts.slice(0, at);
  const beyond = jumpingTo(func, rest, inst.span);
  const branch = func.newInst("branch", [value, leaves.constant(imm)], block, inst.span);
  branch.condition = "ult";
  branch.succs.push(rest, beyond);
  block.end = branch;
  beyond.preds.push(block);
  rest.preds.push(block, beyond);
  inst.op = "phi";
  inst.imm = 0n;
  inst.claim = undefined;
  inst.args.push(leaves.constant(0n));
  inst.block = rest;
  rest.phis.push(inst);
}

/** Claims where nothing comes to: they go with their blocks, unless those stay for another reason. */
function dropClaims(func: Func): void {
  const replacements = new Replacements();
  for (const block of func.blocks)
    for (const inst of block.insts)
      if (inst.op === "bound" || inst.op === "fits") replacements.replace(inst, inst.args[0]!);
  replacements.apply(func);
}
