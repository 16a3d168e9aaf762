import type { Expr } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { type BoolType, type CellType, type IntType, sizeOf, type Type } from "../type.ts";
import { extended } from "./arithmetic.ts";
import type { Lowering } from "./lowering.ts";
import { loadScalar, storeScalar } from "./scalar-memory.ts";
import { value } from "./value.ts";

type Cell<Op> = Expr & { readonly op: Op };

function cellOf(type: Type): IntType | BoolType {
  return (type as CellType).of;
}

/** Whether the machine changes memory of the type at once: words of 4 and 8 bytes in its own byte order. */
function isAtomic(type: IntType | BoolType): boolean {
  return type.kind === "int" && type.bits >= 32 && type.bigEndian !== true;
}

/** Whether memory of the type can be exchanged at once, and tells what was there (since Linux 5.12). */
export function canExchange(l: Lowering, type: IntType | BoolType): boolean {
  return isAtomic(type) && l.target.features.fetchAtomics;
}

/**
 * `cell.add(n)`. Atomic also in memory of this CPU alone: an interrupt's program may come between reading and writing.
 * Numbers of 8 and 16 bits have no atomic operations: they are read, changed and written.
 */
export function cellAdd(l: Lowering, expr: Cell<"cellAdd">): void {
  const cell = value(l, expr.cell);
  addTo(l, cellOf(expr.cell.type), cell, 0, value(l, expr.value));
}

export function addTo(l: Lowering, type: IntType | BoolType, base: Inst, offset: number, by: Inst): void {
  const { b } = l;
  if (isAtomic(type)) b.atomic("add", base, offset, sizeOf(type) as 4 | 8, by);
  else storeScalar(l, type, base, offset, b.add(loadScalar(l, type, base, offset), by));
}

/** `cell.xchg(v)`: what was there before. Two steps where the kernel has no atomic exchange (before Linux 5.12). */
export function cellExchange(l: Lowering, expr: Cell<"cellExchange">): Inst {
  const cell = value(l, expr.cell);
  const type = cellOf(expr.cell.type);
  const given = value(l, expr.value);
  if (canExchange(l, type)) return exchange(l, "xchg", type, cell, given);
  const before = loadScalar(l, type, cell, 0);
  storeScalar(l, type, cell, 0, given);
  return before;
}

/** `cell.cas(old, v)`: what was there before; when that is `old`, it is `v` now. */
export function cellCompareExchange(l: Lowering, expr: Cell<"cellCompareExchange">): Inst {
  const cell = value(l, expr.cell);
  const type = cellOf(expr.cell.type);
  const old = value(l, expr.old);
  const given = value(l, expr.value);
  if (canExchange(l, type)) return exchange(l, "cmpxchg", type, cell, given, old);
  const before = loadScalar(l, type, cell, 0);
  l.when("eq", before, old, () => storeScalar(l, type, cell, 0, given));
  return before;
}

/** Puts a value there (with `cmpxchg` where `expected` is); what was there before. */
export function exchange(
  l: Lowering,
  op: "xchg" | "cmpxchg",
  type: IntType | BoolType,
  base: Inst,
  given: Inst,
  expected?: Inst,
): Inst {
  return extended(l, type, l.b.atomic(op, base, 0, sizeOf(type) as 4 | 8, given, expected));
}
