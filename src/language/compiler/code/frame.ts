import { NOWHERE } from "../span.ts";
import type { Slot } from "../ssa/ir.ts";
import { firstIntersection, NEVER } from "./interval.ts";
import type { Allocation } from "./linear-scan.ts";
import type { MachineFunction } from "./machine.ts";
import { ASIDE, LENT, type Place, STACK } from "./parallel-moves.ts";
import { CodeProblemError } from "./problem.ts";
import type { Moves } from "./resolve.ts";
import { analyseSlots } from "./slot-liveness.ts";

/** Bytes of stack that a function has. */
export const STACK_LIMIT = 512;

/** Where the pieces of the stack stand, as (negative) distances from the frame pointer. */
export interface Frame {
  readonly size: number;
  offsetOf(slot: Slot): number;
  /** Of a place on the stack. */
  placeOffset(place: Place): number;
}

interface Piece {
  readonly size: number;
  readonly align: number;
  readonly ranges: readonly number[];
  readonly key: Slot | Place;
  offset: number;
}

/**
 * Gives slots and spilled values their places: those that are never in use at once share theirs. Throws CodeProblemError when
 * it is more than a function may have.
 */
export function layOutFrame(func: MachineFunction, allocation: Allocation, moves: Moves): Frame {
  const pieces: Piece[] = [];
  for (const { slot, ranges } of analyseSlots(func)) {
    pieces.push({ size: slot.size, align: Math.min(slot.align, 8), ranges, key: slot, offset: 0 });
  }
  // The moves before a jump write the place of a phi while others of its block are still read.
  const written: number[][] = [];
  for (const { phis, preds } of func.blocks)
    for (const { dst } of phis) written[dst] = preds.flatMap((pred) => [pred.to - 2, pred.to]);
  allocation.spilled.forEach((spilled, vreg) => {
    if (spilled === 0) return;
    const live = allocation.partsOf(vreg).flatMap((part) => part.ranges);
    const ends = written[vreg];
    const ranges = ends === undefined ? live : union(live, ends);
    pieces.push({ size: 8, align: 8, ranges, key: STACK + vreg, offset: 0 });
  });
  const always = [0, func.blocks[func.blocks.length - 1]?.to ?? 0];
  if (moves.usesAside) pieces.push({ size: 8, align: 8, ranges: always, key: ASIDE, offset: 0 });
  if (moves.usesLent) pieces.push({ size: 8, align: 8, ranges: always, key: LENT, offset: 0 });

  // Large ones first; what needs no alignment fills what is left.
  pieces.sort((a, b) => b.align - a.align || b.size - a.size);
  const offsets = new Map<Slot | Place, number>();
  const placed: Piece[] = [];
  let depth = 0;
  for (const piece of pieces) {
    piece.offset = place(piece, placed);
    placed.push(piece);
    offsets.set(piece.key, piece.offset);
    depth = Math.max(depth, -piece.offset);
  }
  const size = (depth + 7) & ~7;
  if (size > STACK_LIMIT) {
    const slots = pieces.map(({ key }) => key).filter((key) => typeof key === "object");
    slots.sort((a, b) => b.size - a.size);
    const spilled = pieces.flatMap(({ key }) => (typeof key === "number" ? [key - STACK] : []));
    const values = new Map<string, Pick<Slot, "name" | "span">>();
    for (const vreg of spilled.sort((a, b) => a - b)) {
      const name = func.variables[vreg];
      if (name) values.set(name, { name, span: func.origins[vreg]?.span ?? NOWHERE });
    }
    throw new CodeProblemError({
      kind: "stack",
      size,
      limit: STACK_LIMIT,
      slots,
      spills: spilled.length * 8,
      values: [...values.values()],
    });
  }
  return {
    size,
    // One that nothing touches can be anywhere.
    offsetOf: (slot) => offsets.get(slot) ?? -8,
    placeOffset: (where) => offsets.get(where) as number,
  };
}

/** The place nearest to the frame pointer that nothing else has at the same time. */
function place(piece: Piece, placed: readonly Piece[]): number {
  const others = placed
    .filter((other) => firstIntersection(piece.ranges, other.ranges, 0) !== NEVER)
    .sort((a, b) => b.offset + b.size - (a.offset + a.size));
  let end = 0;
  for (const other of others) {
    if (alignedStart(end, piece) >= other.offset + other.size) break;
    end = Math.min(end, other.offset);
  }
  return alignedStart(end, piece);
}

function alignedStart(end: number, { size, align }: Piece): number {
  return -Math.ceil((size - end) / align) * align;
}

/** Ranges that cover what either covers. */
function union(a: readonly number[], b: readonly number[]): number[] {
  const pairs: [number, number][] = [];
  for (const list of [a, b]) {
    for (let i = 0; i < list.length; i += 2) pairs.push([list[i] as number, list[i + 1] as number]);
  }
  pairs.sort((x, y) => x[0] - y[0]);
  const result: number[] = [];
  for (const [from, to] of pairs) {
    if (result.length > 0 && from <= (result[result.length - 1] as number)) {
      result[result.length - 1] = Math.max(result[result.length - 1] as number, to);
    } else result.push(from, to);
  }
  return result;
}
