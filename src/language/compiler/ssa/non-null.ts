import type { Dominators } from "./dominators.ts";
import type { Block, Inst } from "./ir.ts";

/** Whether a value is an address that is never 0, or a constant that is not. */
export function neverZero(value: Inst): boolean {
  return value.op === "const" ? value.imm !== 0n : value.kind !== "scalar" && value.kind !== "plain" && !value.nullable;
}

/** Whether a value is the constant 0. */
export function isZero(value: Inst): boolean {
  return value.op === "const" && value.imm === 0n;
}

/** What a comparison compares with 0; undefined when it compares with something else. */
export function comparedWithZero(a: Inst, b: Inst): Inst | undefined {
  return isZero(b) ? a : isZero(a) ? b : undefined;
}

/** Of the edge from `from` to `to`: the value that was compared with 0 and is not, when it was such a comparison. */
export function nonZeroOnEdge(from: Block, to: Block): Inst | undefined {
  const { end } = from;
  if (end === undefined) return undefined;
  if (end.op !== "branch" || (end.condition !== "eq" && end.condition !== "ne")) return undefined;
  if (end.succs[end.condition === "ne" ? 0 : 1] !== to) return undefined;
  const [a, b] = end.args as [Inst, Inst];
  return comparedWithZero(a, b);
}

/**
 * Whether a value is not 0 where the edge from `from` to `to` is taken, as the branches tell that one certainly passed on the
 * way: looks up as far as there is one way to come from.
 */
export function knownNonZero(value: Inst, from: Block, to: Block): boolean {
  if (neverZero(value)) return true;
  for (let at: Block | undefined = from, next = to; at !== undefined; ) {
    if (nonZeroOnEdge(at, next) === value) return true;
    if (at === value.block || at.preds.length !== 1) return false;
    next = at;
    at = at.preds[0];
  }
  return false;
}

/**
 * Which nullable values are known not to be 0 at the beginning of each block (by its id), because every way there compared them
 * with 0.
 */
export function nonZeroAtEntry(dominators: Dominators): (ReadonlySet<Inst> | undefined)[] {
  const known: (Set<Inst> | undefined)[] = [];
  for (let changed = true; changed; ) {
    changed = false;
    for (const block of dominators.order) {
      let met: Set<Inst> | undefined;
      for (const pred of block.preds) {
        const at = known[pred.id];
        // What was not walked yet takes nothing away: it is corrected in the next turn.
        if (at === undefined) continue;
        const edge = nonZeroOnEdge(pred, block);
        if (met === undefined) met = edge === undefined ? new Set(at) : new Set(at).add(edge);
        else for (const value of met) if (value !== edge && !at.has(value)) met.delete(value);
      }
      met ??= new Set();
      // What comes together here is not 0 where each was compared on its own way.
      for (const phi of block.phis)
        if (
          phi.nullable === true &&
          block.preds.every((pred, i) => comesNonZero(phi, phi.args[i]!, pred, known[pred.id]))
        )
          met.add(phi);
      const before = known[block.id];
      if (before !== undefined && before.size === met.size) continue;
      known[block.id] = met;
      changed = true;
    }
  }
  return known;
}

/** Whether an operand of a phi is not 0 at the end of the block that it comes from, with what is known where that begins. */
function comesNonZero(phi: Inst, arg: Inst, pred: Block, known: ReadonlySet<Inst> | undefined): boolean {
  if (arg === phi || known === undefined) return true;
  return neverZero(arg) || known.has(arg) || nonZeroOnEdge(pred, phi.block) === arg;
}
