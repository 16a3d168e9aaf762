import type { BinaryName, CompareName, Expr } from "../hir.ts";
import { Variable } from "../ssa/builder.ts";
import type { BinaryOp, Block, Condition, Inst, Size } from "../ssa/ir.ts";
import { type BoolType, type IntType, isAggregate, type OptionalType, type Type } from "../type.ts";
import { record } from "./aggregations.ts";
import { call } from "./calls.ts";
import { cellAdd, cellCompareExchange, cellExchange } from "./cells.ts";
import { helperValue } from "./helpers.ts";
import { addressOf } from "./into.ts";
import { asKernelPointer } from "./kernel-memory.ts";
import { kindOf, type Lowering } from "./lowering.ts";
import { lookupScalar, mapDelete, mapGetOrInsert, mapHas, mapRef, mapSet, storageDelete, storageGet } from "./maps.ts";
import { packetAt, packetLength } from "./packets.ts";
import { placeAddress, readPlace } from "./places.ts";
import { ringEmit, ringReserve, sendRecord, stackId, takeBack } from "./rings.ts";
import { isPointer, pairs } from "./shape.ts";
import { compareText, startsWith, textLength } from "./text.ts";

/** An optional that needs two registers: whether it is there (0 or 1), and what it is (0 when it is not). */
export interface Pair {
  readonly present: Inst;
  readonly value: Inst;
}

/** The value of an expression that one register holds: numbers, booleans, addresses. */
export function value(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  const before = b.span;
  b.span = expr.span;
  const result = compute(l, expr);
  b.span = before;
  return result;
}

function compute(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  switch (expr.op) {
    case "number":
      return b.constant(expr.value);
    case "boolean":
      return b.constant(expr.value ? 1n : 0n);
    case "undefined":
      return b.constant(0n);
    case "local":
      return l.readLocal(expr.local);
    case "read":
      return asKernelPointer(l, readPlace(l, expr.place), expr.type);
    case "address":
      return asKernelPointer(l, placeAddress(l, expr.place), expr.type);
    case "negate":
      return b.neg(value(l, expr.value));
    case "invert":
      return b.xor(value(l, expr.value), b.constant(-1n));
    case "binary": {
      const left = value(l, expr.left);
      return b.binary(binaryOp(expr.binary, expr.signed), left, value(l, expr.right));
    }
    case "not":
    case "compare":
    case "compareText":
    case "startsWith":
    case "and":
    case "or":
    case "isPresent":
      return materialise(l, expr);
    case "textLength":
      return textLength(l, expr.text);
    case "conditional":
      return chooseValue(l, expr);
    case "unwrap":
      return pairs(expr.value.type) ? pair(l, expr.value).value : there(l, value(l, expr.value));
    case "wrap":
      return value(l, expr.value);
    case "coalesce":
      return coalesceValue(l, expr);
    case "chain":
      return chainValue(l, expr);
    case "convert":
      return convert(l, value(l, expr.value), expr.value.type, expr.type);
    case "fit":
      return proven(l, expr);
    case "mapGet":
      return isPointer(expr.type) || isAggregate(expr.type) ? mapRef(l, expr) : lookupScalar(l, expr).value;
    case "mapRef":
      return mapRef(l, expr);
    case "mapHas":
      return mapHas(l, expr);
    case "mapSet":
      return mapSet(l, expr);
    case "mapGetOrInsert":
      return mapGetOrInsert(l, expr);
    case "mapDelete":
      return mapDelete(l, expr);
    case "mapRecord":
      record(l, expr);
      return b.constant(0n);
    case "ringEmit":
      return ringEmit(l, expr);
    case "print":
      sendRecord(l, expr.map, expr.site.record, expr.value);
      return b.constant(0n);
    case "ringReserve":
      return ringReserve(l, expr);
    case "ringSubmit":
    case "ringDiscard":
      takeBack(l, expr);
      return b.constant(0n);
    case "packetAt":
      return packetAt(l, expr);
    case "packetLength":
      return packetLength(l);
    case "stackId":
      return stackId(l, expr);
    case "cellAdd":
      cellAdd(l, expr);
      return b.constant(0n);
    case "cellExchange":
      return cellExchange(l, expr);
    case "cellCompareExchange":
      return cellCompareExchange(l, expr);
    case "storageGet":
      return storageGet(l, expr);
    case "storageDelete":
      return storageDelete(l, expr);
    case "helper":
      return asKernelPointer(l, helperValue(l, expr), expr.type);
    case "call":
      return call(l, expr).value;
    case "string":
    case "object":
    case "elements":
      return addressOf(l, expr).base;
  }
}

/**
 * An address that was found to be there. In a callback the test stands in the function around it, where it counts for the kernel
 * only as long as nobody looks: it is repeated.
 */
function there(l: Lowering, pointer: Inst): Inst {
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
      return choosePair(l, expr.type, (yes, no) => condition(l, expr.test, yes, no), expr.then, expr.else);
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

function choosePair(
  l: Lowering,
  _type: Type,
  test: (yes: Block, no: Block) => void,
  whenTrue: Expr,
  whenFalse: Expr,
): Pair {
  const { b } = l;
  const made = newPair();
  const [yes, no, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  test(yes, no);
  b.enter(yes);
  writePair(l, made, pair(l, whenTrue));
  b.jump(end);
  b.enter(no);
  writePair(l, made, pair(l, whenFalse));
  b.jump(end);
  b.enter(end);
  return readPair(l, made);
}

// Conditions

const CONDITION: Readonly<Record<CompareName, readonly [unsigned: Condition, signed: Condition]>> = {
  eq: ["eq", "eq"],
  ne: ["ne", "ne"],
  lt: ["ult", "slt"],
  le: ["ule", "sle"],
  gt: ["ugt", "sgt"],
  ge: ["uge", "sge"],
};

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
      b.branch(CONDITION[expr.compare][expr.signed ? 1 : 0], left, right, yes, no);
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

/** A condition as 0 or 1. */
function materialise(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  const made = new Variable("");
  const [yes, no, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  condition(l, expr, yes, no);
  b.enter(yes);
  b.write(made, b.constant(1n));
  b.jump(end);
  b.enter(no);
  b.write(made, b.constant(0n));
  b.jump(end);
  b.enter(end);
  return b.read(made);
}

function chooseValue(l: Lowering, expr: Expr & { readonly op: "conditional" }): Inst {
  const { b } = l;
  if (isAggregate(expr.type)) return addressOf(l, expr).base;
  const made = new Variable("");
  const [yes, no, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  condition(l, expr.test, yes, no);
  b.enter(yes);
  b.write(made, value(l, expr.then));
  b.jump(end);
  b.enter(no);
  b.write(made, value(l, expr.else));
  b.jump(end);
  b.enter(end);
  return b.read(made);
}

function coalesceValue(l: Lowering, expr: Expr & { readonly op: "coalesce" }): Inst {
  const { b } = l;
  if (isAggregate(expr.type)) return addressOf(l, expr).base;
  const made = new Variable("");
  const first = presentAndValue(l, expr.value);
  l.when(
    "ne",
    first.present,
    l.zero(),
    () => b.write(made, first.value),
    () => b.write(made, value(l, expr.fallback)),
  );
  return b.read(made);
}

/** Of addresses, the address is what says whether it is there. */
export function presentAndValue(l: Lowering, expr: Expr): Pair {
  if (pairs(expr.type)) return pair(l, expr);
  const it = value(l, expr);
  return { present: it, value: it };
}

/** `value?.…` whose result is an address: null when there is none. */
function chainValue(l: Lowering, expr: Expr & { readonly op: "chain" }): Inst {
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

// Numbers

function binaryOp(name: BinaryName, signed: boolean): BinaryOp {
  switch (name) {
    case "div":
      return signed ? "sdiv" : "udiv";
    case "mod":
      return signed ? "smod" : "umod";
    case "shr":
      return signed ? "ashr" : "lshr";
    case "ushr":
      return "lshr";
    default:
      return name;
  }
}

export function binary(l: Lowering, name: BinaryName, signed: boolean, left: Inst, right: Inst): Inst {
  return l.b.binary(binaryOp(name, signed), left, right);
}

/** A value of one type as what it is in another: cut off, extended; any number as a boolean. */
export function convert(l: Lowering, given: Inst, from: Type, to: IntType | BoolType): Inst {
  const { b } = l;
  if (to.kind === "bool") {
    if (from.kind === "bool") return given;
    const made = new Variable("");
    l.when(
      "ne",
      given,
      l.zero(),
      () => b.write(made, b.constant(1n)),
      () => b.write(made, b.constant(0n)),
    );
    return b.read(made);
  }
  if (to.bits === 64 || holds(to, from)) return given;
  const size = (to.bits / 8) as Size;
  return to.signed ? b.sext(given, size) : b.zext(given, size);
}

/** Whether every value of a type is one of the other, as registers have them. */
function holds(to: IntType, from: Type): boolean {
  if (from.kind === "bool") return true;
  if (from.kind !== "int") return false;
  if (from.signed === to.signed) return from.bits <= to.bits;
  return to.signed && from.bits < to.bits;
}

function proven(l: Lowering, expr: Expr & { readonly op: "fit" }): Inst {
  const given = value(l, expr.value);
  const { type } = expr;
  const from = expr.value.type;
  if (holds(type, from)) return given;
  const name = `${type.signed ? "i" : "u"}${type.bits}`;
  // 64 bits hold all that a register does; whether they are meant with a sign is what is to be proven.
  return l.b.fits(given, (type.bits / 8) as Size, type.signed, {
    code: "EB2205",
    message: `this may be {range}, but ${expr.what} holds ${name}`,
    why: "A value that does not fit would lose its upper bits without a word.",
    help: `Write \`${name}(…)\` to cut it off, mask it, or test it before.`,
  });
}

/** The type of what an optional holds; other types are themselves. */
export function unwrapType(type: Type): Type {
  return type.kind === "optional" ? (type as OptionalType).of : type;
}

export { kindOf };
