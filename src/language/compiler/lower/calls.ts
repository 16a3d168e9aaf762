import type { Expr, FunctionDecl, Local, Stmt } from "../hir.ts";
import { Builder } from "../ssa/builder.ts";
import type { Callee, Inst } from "../ssa/ir.ts";
import { mistakesCallers } from "../target.ts";
import { isAggregate, sizeOf, type Type } from "../type.ts";
import { extended } from "./arithmetic.ts";
import { into } from "./into.ts";
import { type Destination, type Frame, kindOf, Lowering, type Unit } from "./lowering.ts";
import { isOdd, zero } from "./memory.ts";
import { pair } from "./optionals.ts";
import { localOf } from "./rings.ts";
import { isPointer, pairs, unwrapType } from "./shape.ts";
import { lowerBody, writeFirst } from "./statements.ts";
import { value } from "./value.ts";
import { type Uses, usesOf } from "./walk.ts";

type Call = Extract<Expr, { readonly op: "call" }>;

/** Functions of about so many instructions are put in place wherever they are called. */
const SMALL = 40;
/** Arguments that the machine passes in registers. */
const REGISTERS = 5;

/** What a function or a statement takes from around it, and what it costs; functions do not call themselves. */
export function usesIn(unit: Unit, of: FunctionDecl | Stmt): Uses {
  const known = unit.uses.get(of);
  if (known !== undefined) return known;
  const uses = usesOf("op" in of ? [of] : of.body, (inner) => usesIn(unit, inner));
  unit.uses.set(of, uses);
  return uses;
}

/**
 * Whether a call becomes the function's body. Small functions and those that are called once do; and those that a function of
 * its own could not be: it has no context, gives one register back, takes five, and cannot give away the caller's records.
 */
function isInlined(unit: Unit, callee: FunctionDecl): boolean {
  const uses = usesIn(unit, callee);
  if (uses.cost <= SMALL || unit.calls.get(callee) === 1) return true;
  if (uses.context || uses.records || isAggregate(callee.result) || pairs(callee.result)) return true;
  // Whether a kernel pointer may be followed depends on where it comes from.
  if (isPointer(callee.result) || callee.params.some(({ type }) => hasKernelPointer(type) || isAggregate(type)))
    return true;
  return callee.params.reduce((sum, { type }) => sum + (pairs(type) ? 2 : 1), 0) > REGISTERS;
}

function hasKernelPointer(type: Type): boolean {
  return type.kind === "kernelPointer" || (type.kind === "optional" && hasKernelPointer(type.of));
}

/** What a call gives; aggregates go to `to`. */
export function call(l: Lowering, expr: Call, to?: Destination): { readonly value: Inst; readonly present?: Inst } {
  const { callee } = expr;
  // What is put in place, or looked at alone, has no caller that could be mistaken.
  const mayBeMistaken = mistakesCallers(l.target.features) && (!takesNumbers(callee) || mayGoElsewhere(l));
  if (isInlined(l.unit, callee) || mayBeMistaken) return inline(l, expr, argumentsOf(l, expr), to);
  const given = argumentsOf(l, expr);
  // A function of its own reads and writes what it is given by words, which the kernel lets it do on the stack at words only.
  return given.some(({ value: it }) => isOdd(it))
    ? inline(l, expr, given, to)
    : { value: callFunction(l, expr, given) };
}

/** Before Linux 6.0 programs that go on in others have no functions but on x86-64. */
function mayGoElsewhere({ target, unit }: Lowering): boolean {
  return target.arch !== "x64" && unit.module.maps.some(({ kind }) => kind === "progArray");
}

/** Whether the kernel can look at the function by itself. */
function takesNumbers({ params, result }: FunctionDecl): boolean {
  const isNumber = ({ kind }: Type): boolean => kind === "int" || kind === "bool";
  return params.every(({ type }) => isNumber(type)) && (isNumber(result) || result.kind === "void");
}

function inline(
  l: Lowering,
  { callee, args }: Call,
  given: readonly Given[],
  to?: Destination,
): { value: Inst; present?: Inst } {
  const { b } = l;
  bindArguments(l, callee, args, given);
  const end = b.newBlock();
  const { result } = callee;
  const memory = isAggregate(result) ? (to ?? l.temporary(result, callee.name)) : undefined;
  const frame: Frame = {
    result,
    end,
    value: l.newVariable(),
    present: pairs(result) ? l.newVariable() : undefined,
    into: memory,
    depth: l.regions.length,
  };
  l.frames.push(frame);
  lowerBody(l, callee.body);
  // Where it ends without a `return`.
  finish(l, frame, undefined);
  l.frames.pop();
  b.enter(end);
  if (memory !== undefined) return { value: memory.base };
  const got = frame.value === undefined ? b.constant(0n) : b.read(frame.value);
  return { value: got, ...(frame.present !== undefined && { present: b.read(frame.present) }) };
}

/** An argument as it was evaluated; of those that may be absent, whether it is there. */
interface Given {
  readonly value: Inst;
  readonly present: Inst | undefined;
}

/** All arguments first, then the names: a function may be put in place in its own arguments. */
function argumentsOf(l: Lowering, { callee, args }: Call): Given[] {
  return callee.params.map((param, i) => {
    const arg = args[i] as Expr;
    if (isAggregate(param.type)) {
      const made = l.temporary(param.type, param.name);
      into(l, param.type, arg, made);
      return { value: made.base, present: undefined };
    }
    if (pairs(param.type)) return pair(l, arg);
    return { value: value(l, arg), present: undefined };
  });
}

function bindArguments(l: Lowering, callee: FunctionDecl, args: readonly Expr[], given: readonly Given[]): void {
  const { b } = l;
  for (const [i, param] of callee.params.entries()) {
    const it = given[i] as Given;
    const arg = args[i] as Expr;
    const from = localOf(arg);
    const held = from === undefined ? undefined : l.records.get(from);
    if (held !== undefined) l.records.set(param, held);
    if (isAggregate(param.type)) {
      const variable = l.newVariable(param.name);
      l.place(param, { kind: "address", variable });
      b.write(variable, it.value);
      continue;
    }
    const storage = l.declare(param);
    if (storage.kind === "pair") {
      b.write(storage.value, it.value);
      b.write(storage.present, it.present ?? b.constant(1n));
    } else if (storage.kind === "value") writeFirst(l, param, storage.variable, it.value);
  }
}

/** `return value`, of whatever function the statement stands in. */
export function returnFrom(l: Lowering, given: Expr | undefined): void {
  const frame = l.frames.at(-1);
  if (frame === undefined) {
    l.outline?.returnFrom(l, given);
    return;
  }
  finish(l, frame, given);
}

/** Leaves a frame with a value (zero where there is none). */
function finish(l: Lowering, frame: Frame, given: Expr | undefined): void {
  const { b } = l;
  const { result, end } = frame;
  if (isAggregate(result)) {
    const memory = frame.into as Destination;
    if (given === undefined) zero(l, memory, 0, sizeOf(result));
    else into(l, result, given, memory);
  } else if (pairs(result)) {
    const { present, value: got } =
      given === undefined ? { present: b.constant(0n), value: b.constant(0n) } : pair(l, given);
    if (frame.present !== undefined) b.write(frame.present, present);
    if (frame.value !== undefined) b.write(frame.value, got);
  } else {
    const got = given === undefined ? b.constant(0n) : value(l, given);
    if (end === undefined) {
      l.release(frame.depth);
      b.ret(got);
      return;
    }
    if (frame.value !== undefined) b.write(frame.value, got);
  }
  l.release(frame.depth);
  if (end === undefined) b.ret(b.constant(0n));
  else b.jump(end);
}

/** `return` with what was computed elsewhere. */
export function returnValues(l: Lowering, got: Inst, present: Inst | undefined): void {
  const { b } = l;
  const frame = l.frames.at(-1);
  if (frame === undefined) {
    l.outline?.returnValues(l, got, present);
    return;
  }
  if (frame.present !== undefined && present !== undefined) b.write(frame.present, present);
  if (frame.value !== undefined) b.write(frame.value, got);
  l.release(frame.depth);
  if (frame.end === undefined) b.ret(got);
  else b.jump(frame.end);
}

/** Calls a function of its own, which is made when it is called first. */
function callFunction(l: Lowering, { callee }: Call, given: readonly Given[]): Inst {
  const { b } = l;
  const passed = given.flatMap(({ value: it, present }, i) =>
    pairs((callee.params[i] as Local).type) ? [present as Inst, it] : [it],
  );
  const name = makeFunction(l.unit, callee);
  const target: Callee = { kind: "function", name, ...(callee.result.kind === "void" && { returnsNothing: true }) };
  return asDeclared(l, callee.result, b.call(target, passed, { kind: kindOf(callee.result) }));
}

function makeFunction(unit: Unit, callee: FunctionDecl): string {
  const name = unit.names.get(callee) as string;
  if (unit.made.has(callee)) return name;
  unit.made.add(callee);
  const kinds = callee.params.flatMap(({ type }) => (pairs(type) ? (["scalar", "scalar"] as const) : [kindOf(type)]));
  const builder = new Builder(name, "function", kinds, callee.span);
  const l = new Lowering(unit, builder, undefined);
  let index = 0;
  for (const param of callee.params) {
    const storage = l.declare(param);
    if (storage.kind === "pair") {
      builder.write(storage.present, builder.param(index++));
      builder.write(storage.value, asDeclared(l, param.type, builder.param(index++)));
    } else if (storage.kind === "value") {
      const it = builder.param(index++);
      // An optional reference comes as an address that may be 0.
      if (param.type.kind === "optional") it.nullable = true;
      writeFirst(l, param, storage.variable, asDeclared(l, param.type, it));
    }
  }
  lowerFunctionBody(l, callee);
  unit.functions.push(builder.finish());
  return name;
}

/** A number that comes from another function, as a parameter or as its result, extended by its type: what it may be is not seen otherwise. */
function asDeclared(l: Lowering, type: Type, given: Inst): Inst {
  const of = unwrapType(type);
  return of.kind === "bool" ? l.b.zext(given, 1) : extended(l, of, given);
}

/** The body of a function of its own, with the return behind it. */
export function lowerFunctionBody(l: Lowering, callee: FunctionDecl): void {
  const frame: Frame = {
    result: callee.result,
    end: undefined,
    value: undefined,
    present: undefined,
    into: undefined,
    depth: 0,
  };
  l.frames.push(frame);
  lowerBody(l, callee.body);
  finish(l, frame, undefined);
  l.frames.pop();
}
