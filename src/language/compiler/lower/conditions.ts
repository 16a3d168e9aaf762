import type { CompareName, Expr } from "../hir.ts";
import type { Block, Condition, Inst } from "../ssa/ir.ts";
import type { Lowering } from "./lowering.ts";
import { pair } from "./optionals.ts";
import { pairs } from "./shape.ts";
import { compareText, startsWith } from "./text.ts";
import { value } from "./value.ts";

const CONDITION: Readonly<Record<CompareName, readonly [unsigned: Condition, signed: Condition]>> = {
  eq: ["eq", "eq"],
  ne: ["ne", "ne"],
  lt: ["ult", "slt"],
  le: ["ule", "sle"],
  gt: ["ugt", "sgt"],
  ge: ["uge", "sge"],
};

/** How the machine compares numbers that are meant with a sign, or without. */
export function comparing(compare: CompareName, signed: boolean): Condition {
  return CONDITION[compare][signed ? 1 : 0];
}

/** Goes to `yes` when the boolean is true, else to `no`. */
export function condition(l: Lowering, expr: Expr, yes: Block, no: Block): void {
  const { b } = l;
  const before = b.span;
  b.span = expr.span;
  switch (expr.op) {
    case "boolean":
      b.jump(expr.value ? yes : no);
      break;
    case "not":
      condition(l, expr.value, no, yes);
      break;
    case "and":
    case "or": {
      const next = b.newBlock();
      if (expr.op === "and") condition(l, expr.left, next, no);
      else condition(l, expr.left, yes, next);
      b.enter(next);
      condition(l, expr.right, yes, no);
      break;
    }
    case "compare": {
      const left = value(l, expr.left);
      const right = value(l, expr.right);
      b.branch(comparing(expr.compare, expr.signed), left, right, yes, no);
      break;
    }
    case "compareText":
      if (expr.compare === "eq") compareText(l, expr.left, expr.right, yes, no);
      else compareText(l, expr.left, expr.right, no, yes);
      break;
    case "startsWith":
      startsWith(l, expr.text, expr.prefix, yes, no);
      break;
    case "isPresent":
      b.branch("ne", presence(l, expr.value), b.constant(0n), yes, no);
      break;
    case "conditional": {
      const [then, otherwise] = [b.newBlock(), b.newBlock()];
      condition(l, expr.test, then, otherwise);
      b.enter(then);
      condition(l, expr.then, yes, no);
      b.enter(otherwise);
      condition(l, expr.else, yes, no);
      break;
    }
    default:
      b.branch("ne", value(l, expr), b.constant(0n), yes, no);
  }
  b.span = before;
}

/** What is 0 when an optional is not there. */
function presence(l: Lowering, expr: Expr): Inst {
  return pairs(expr.type) ? pair(l, expr).present : value(l, expr);
}

/** `then` when the boolean is true, else `otherwise`; both go on behind. */
export function whether(l: Lowering, expr: Expr, then: () => void, otherwise: () => void): void {
  l.fork((yes, no) => condition(l, expr, yes, no), then, otherwise);
}

/** What `then` gives when the boolean is true, else what `otherwise` does. */
export function chosen(l: Lowering, expr: Expr, then: () => Inst, otherwise: () => Inst): Inst {
  const made = l.newVariable();
  whether(
    l,
    expr,
    () => l.b.write(made, then()),
    () => l.b.write(made, otherwise()),
  );
  return l.b.read(made);
}

/** A condition as 0 or 1. */
export function materialise(l: Lowering, expr: Expr): Inst {
  return chosen(
    l,
    expr,
    () => l.one(),
    () => l.zero(),
  );
}
