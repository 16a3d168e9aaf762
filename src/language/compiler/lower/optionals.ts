import type { Expr } from "../hir.ts";
import { Variable } from "../ssa/builder.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate } from "../type.ts";
import { call } from "./calls.ts";
import { whether } from "./conditions.ts";
import { helperValue } from "./helpers.ts";
import { addressOf } from "./into.ts";
import type { Lowering } from "./lowering.ts";
import { lookupScalar } from "./maps.ts";
import { pairs } from "./shape.ts";
import { value } from "./value.ts";

/** An optional that needs two registers: whether it is there (0 or 1), and what it is (0 when it is not). */
export interface Pair {
  readonly present: Inst;
  readonly value: Inst;
}

/**
 * An address that was found to be there. In a callback the test stands in the function around it, where it counts for the kernel
 * only as long as nobody looks: it is repeated.
 */
export function there(l: Lowering, pointer: Inst): Inst {
  if (l.outline !== undefined && pointer.kind === "memory" && pointer.nullable) l.isNull(pointer, () => l.leave());
  return pointer;
}

/** An optional of a scalar, or of something in memory (then `value` is its address). */
export function pair(l: Lowering, expr: Expr): Pair {
  const { b } = l;
  switch (expr.op) {
    case "undefined":
      return { present: b.constant(0n), value: b.constant(0n) };
    case "wrap":
      return { present: b.constant(1n), value: wrapped(l, expr.value) };
    case "local": {
      const storage = l.storage(expr.local);
      if (storage.kind === "pair") return { present: b.read(storage.present), value: b.read(storage.value) };
      return { present: b.constant(1n), value: l.readLocal(expr.local) };
    }
    case "mapGet":
      return lookupScalar(l, expr);
    case "conditional":
      return choosePair(l, expr);
    case "coalesce": {
      const first = pair(l, expr.value);
      const made = newPair();
      l.when(
        "ne",
        first.present,
        l.zero(),
        () => writePair(l, made, first),
        () => writePair(l, made, pair(l, expr.fallback)),
      );
      return readPair(l, made);
    }
    case "chain":
      return chainPair(l, expr);
    case "call": {
      const { value: result, present } = call(l, expr);
      return { present: present ?? b.constant(1n), value: result };
    }
    case "helper": {
      const present = new Variable("");
      const result = helperValue(l, expr, present);
      return { present: b.read(present), value: result };
    }
    default:
      // What is there always: a value where an optional of it is wanted.
      return { present: b.constant(1n), value: wrapped(l, expr) };
  }
}

function wrapped(l: Lowering, expr: Expr): Inst {
  return isAggregate(expr.type) ? addressOf(l, expr).base : value(l, expr);
}

function newPair(): { present: Variable; value: Variable } {
  return { present: new Variable(""), value: new Variable("") };
}

function writePair(l: Lowering, to: { present: Variable; value: Variable }, from: Pair): void {
  l.b.write(to.present, from.present);
  l.b.write(to.value, from.value);
}

function readPair(l: Lowering, from: { present: Variable; value: Variable }): Pair {
  return { present: l.b.read(from.present), value: l.b.read(from.value) };
}

function choosePair(l: Lowering, expr: Expr & { readonly op: "conditional" }): Pair {
  const made = newPair();
  whether(
    l,
    expr.test,
    () => writePair(l, made, pair(l, expr.then)),
    () => writePair(l, made, pair(l, expr.else)),
  );
  return readPair(l, made);
}

export function coalesceValue(l: Lowering, expr: Expr & { readonly op: "coalesce" }): Inst {
  if (isAggregate(expr.type)) return addressOf(l, expr).base;
  const first = presentAndValue(l, expr.value);
  return l.choose(
    "ne",
    first.present,
    l.zero(),
    () => first.value,
    () => value(l, expr.fallback),
  );
}

/** Of addresses, the address is what says whether it is there. */
export function presentAndValue(l: Lowering, expr: Expr): Pair {
  if (pairs(expr.type)) return pair(l, expr);
  const it = value(l, expr);
  return { present: it, value: it };
}

/** `value?.…` whose result is an address: null when there is none. */
export function chainValue(l: Lowering, expr: Expr & { readonly op: "chain" }): Inst {
  const { b } = l;
  const made = new Variable("");
  inChain(
    l,
    expr,
    () => b.write(made, value(l, expr.then)),
    () => b.write(made, b.constant(0n)),
  );
  return b.read(made);
}

function chainPair(l: Lowering, expr: Expr & { readonly op: "chain" }): Pair {
  const made = newPair();
  inChain(
    l,
    expr,
    () => {
      // `then` may be an optional itself.
      const then = pairs(expr.then.type)
        ? pair(l, expr.then)
        : { present: l.b.constant(1n), value: wrapped(l, expr.then) };
      writePair(l, made, then);
    },
    () => writePair(l, made, { present: l.b.constant(0n), value: l.b.constant(0n) }),
  );
  return readPair(l, made);
}

/** Binds what is there and does `there`; else does `absent`. */
export function inChain(
  l: Lowering,
  expr: Expr & { readonly op: "chain" },
  there: () => void,
  absent: () => void,
): void {
  const { present, value: bound } = presentAndValue(l, expr.value);
  if (expr.value.op === "local") {
    const held = l.records.get(expr.value.local);
    if (held !== undefined) l.records.set(expr.bound, held);
  }
  const storage = l.declare(expr.bound);
  l.when(
    "ne",
    present,
    l.zero(),
    () => {
      if (storage.kind === "value") l.b.write(storage.variable, bound);
      else if (storage.kind === "slot") {
        const variable = new Variable(expr.bound.name);
        l.place(expr.bound, { kind: "address", variable });
        l.b.write(variable, bound);
      }
      there();
    },
    absent,
  );
}
