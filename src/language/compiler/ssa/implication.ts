import { foldCondition, negate, swapSides } from "./fold.ts";
import type { Block, Condition, Inst } from "./ir.ts";
import { comparedWithZero, neverZero } from "./non-null.ts";

/** For each condition which of less, equal, greater make it true, as bits 1, 2, 4: unsigned and signed orders apart. */
const ORDERS: Partial<Record<Condition, { readonly order: "u" | "s" | "any"; readonly when: number }>> = {
  eq: { order: "any", when: 2 },
  ne: { order: "any", when: 5 },
  ult: { order: "u", when: 1 },
  ule: { order: "u", when: 3 },
  ugt: { order: "u", when: 4 },
  uge: { order: "u", when: 6 },
  slt: { order: "s", when: 1 },
  sle: { order: "s", when: 3 },
  sgt: { order: "s", when: 4 },
  sge: { order: "s", when: 6 },
};

/**
 * Whether `a condition b` holds where the edge from `from` (which ends in a branch) to `to` was taken; undefined when that
 * tells nothing. Only comparisons of the very same two values count, and of a value that was found equal to a constant: what
 * follows by ranges is the kernel's business.
 */
export function impliedBy(from: Block, to: Block, condition: Condition, a: Inst, b: Inst): boolean | undefined {
  const end = from.end!;
  const taken = end.succs[0] === to;
  const [x, y] = end.args as [Inst, Inst];
  let given: Condition = end.condition;
  if (given === "set" || condition === "set") {
    if (given === condition && ((x === a && y === b) || (x === b && y === a))) return taken;
  } else {
    if (!taken) given = negate(given)!;
    if (x === a && y === b) return compare(given, condition);
    if (x === b && y === a) return compare(swapSides(given), condition);
  }
  // Equal to a constant: every comparison with constants is decided.
  if ((end.condition === "eq" && taken) || (end.condition === "ne" && !taken)) {
    const [value, constant] = y.op === "const" ? [x, y] : [y, x];
    if (constant.op !== "const") return undefined;
    if (value === a && b.op === "const") return foldCondition(condition, constant.imm, b.imm);
    if (value === b && a.op === "const") return foldCondition(condition, a.imm, constant.imm);
  }
  return undefined;
}

function compare(given: Condition, asked: Condition): boolean | undefined {
  const g = ORDERS[given]!;
  const q = ORDERS[asked]!;
  // Signed and unsigned orders tell nothing of each other.
  if (g.order !== q.order && g.order !== "any" && q.order !== "any") return undefined;
  if ((g.when & ~q.when) === 0) return true;
  if ((g.when & q.when) === 0) return false;
  return undefined;
}

/** Whether `a condition b` holds by what the two are alone: constants, addresses that are never 0. */
export function decided(condition: Condition, a: Inst, b: Inst): boolean | undefined {
  if (a.op === "const" && b.op === "const") return foldCondition(condition, a.imm, b.imm);
  if (condition !== "eq" && condition !== "ne") return undefined;
  const other = comparedWithZero(a, b);
  return other !== undefined && neverZero(other) ? condition === "ne" : undefined;
}
