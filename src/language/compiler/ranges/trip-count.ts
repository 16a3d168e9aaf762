import { MASK64, negate, signed, swapSides } from "../ssa/fold.ts";
import type { Condition, Inst } from "../ssa/ir.ts";
import type { Loop } from "../ssa/loops.ts";
import type { Ranges } from "./analysis.ts";
import { type Range, SIGNED_MAX, SIGNED_MIN } from "./range.ts";

/**
 * How often a loop goes back to its head at most, which is how often the test that ends it lets it go on; what stands before the
 * test is done once more. Of loops that count by a constant step towards a limit that does not change in them; undefined of
 * others, and when it may count past its limit.
 */
export function tripCount(loop: Loop, ranges: Ranges): bigint | undefined {
  let least: bigint | undefined;
  for (const block of loop.blocks) {
    const end = block.end!;
    if (end.op !== "branch") continue;
    const stays = end.succs.map((succ) => loop.blocks.has(succ));
    if (stays[0] === stays[1] || !loop.latches.every((latch) => ranges.dominators.dominates(block, latch))) continue;
    const condition = stays[0] ? end.condition : negate(end.condition);
    if (condition === undefined) continue;
    const [a, b] = end.args as [Inst, Inst];
    for (const count of [countTo(loop, ranges, condition, a, b), countTo(loop, ranges, swapSides(condition), b, a)])
      if (count !== undefined && (least === undefined || count < least)) least = count;
  }
  return least;
}

/** What is counted: where it begins, and by how much it changes each time. */
interface Counter {
  readonly start: Range;
  readonly step: bigint;
  /** The test sees what it will be, not what it is. */
  readonly ahead: boolean;
}

function countTo(loop: Loop, ranges: Ranges, condition: Condition, value: Inst, limit: Inst): bigint | undefined {
  if (limit.op !== "const" && loop.blocks.has(limit.block)) return undefined;
  const to = ranges.at(limit, loop.head).exact;
  const counter = findCounter(loop, ranges, value);
  if (to === undefined || counter === undefined) return undefined;
  const turns = counter.step > 0n ? up(condition, counter, to) : down(condition, counter, to);
  return turns !== undefined && turns < 0n ? 0n : turns;
}

/** `value` as a counter of the loop: a phi of its head that is added a constant on all ways back, or that sum. */
function findCounter(loop: Loop, ranges: Ranges, value: Inst): Counter | undefined {
  const phi = value.op === "phi" ? value : value.args[0];
  if (phi === undefined || phi.op !== "phi" || phi.block !== loop.head) return undefined;
  let next: Inst | undefined;
  let start: Range | undefined;
  for (let i = 0; i < phi.args.length; i++) {
    const arg = phi.args[i]!;
    const pred = loop.head.preds[i]!;
    if (loop.blocks.has(pred)) {
      if (next !== undefined && next !== arg) return undefined;
      next = arg;
      continue;
    }
    // Several ways in would take a join; one is what loops have.
    if (start !== undefined) return undefined;
    start = ranges.onEdge(arg, pred, loop.head).exact;
  }
  if (next === undefined || start === undefined || (value !== phi && value !== next)) return undefined;
  const by = next.args[1];
  if ((next.op !== "add" && next.op !== "sub") || next.args[0] !== phi || by?.op !== "const") return undefined;
  const step = next.op === "add" ? signed(by.imm) : -signed(by.imm);
  return step === 0n ? undefined : { start, step, ahead: value === next };
}

/** Turns while the counter is below its limit. */
function up(condition: Condition, counter: Counter, to: Range): bigint | undefined {
  const { start, step, ahead } = counter;
  const shift = ahead ? step : 0n;
  switch (condition) {
    case "ult":
    case "ule": {
      const end = to.umax + (condition === "ule" ? 1n : 0n);
      // It must not wrap around before it is seen to be there.
      if (end - 1n + step > MASK64 || start.umax + shift > MASK64) return undefined;
      return divideUp(end - start.umin - shift, step);
    }
    case "slt":
    case "sle": {
      const end = to.smax + (condition === "sle" ? 1n : 0n);
      if (end - 1n + step > SIGNED_MAX || start.smax + shift > SIGNED_MAX) return undefined;
      return divideUp(end - start.smin - shift, step);
    }
    case "ne":
      return step === 1n && start.umax + shift <= to.umin ? to.umax - start.umin - shift : undefined;
    default:
      return undefined;
  }
}

/** Turns while the counter is above its limit. */
function down(condition: Condition, counter: Counter, to: Range): bigint | undefined {
  const step = -counter.step;
  const { start, ahead } = counter;
  const shift = ahead ? step : 0n;
  switch (condition) {
    case "ugt":
    case "uge": {
      const end = to.umin - (condition === "uge" ? 1n : 0n);
      if (end + 1n - step < 0n || start.umin - shift < 0n) return undefined;
      return divideUp(start.umax - shift - end, step);
    }
    case "sgt":
    case "sge": {
      const end = to.smin - (condition === "sge" ? 1n : 0n);
      if (end + 1n - step < SIGNED_MIN || start.smin - shift < SIGNED_MIN) return undefined;
      return divideUp(start.smax - shift - end, step);
    }
    case "ne":
      return step === 1n && start.umin - shift >= to.umax ? start.umax - shift - to.umin : undefined;
    default:
      return undefined;
  }
}

function divideUp(a: bigint, b: bigint): bigint {
  return a <= 0n ? 0n : (a + b - 1n) / b;
}
