import type { Expr, Local, MapDecl } from "../hir.ts";
import type { Variable } from "../ssa/builder.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate, sizeOf, type Type } from "../type.ts";
import { CALLEE } from "./callees.ts";
import { into } from "./into.ts";
import type { Lowering } from "./lowering.ts";
import { succeeded } from "./maps.ts";
import { zero } from "./memory.ts";
import { placeAddress } from "./places.ts";
import { lengthWithin } from "./read-into.ts";
import { pairs } from "./shape.ts";
import { value } from "./value.ts";
import { hasEffects, walkExpr } from "./walk.ts";

type Op<Name extends Expr["op"]> = Extract<Expr, { readonly op: Name }>;

/** BPF_F_USER_STACK. */
const USER_STACK = 256n;

function reserve(l: Lowering, map: MapDecl, type: Type): Inst {
  const { b } = l;
  return b.call(CALLEE.reserve, [b.map(map.name), b.constant(BigInt(sizeOf(type))), b.constant(0n)], {
    kind: "memory",
    nullable: true,
  });
}

/** `ring.emit({…})`: whether there was room. */
export function ringEmit(l: Lowering, { map, record, value: given }: Op<"ringEmit">): Inst {
  return sendRecord(l, map, record, given);
}

/** Sends a value of the type; it is written where the reader will find it. */
export function sendRecord(l: Lowering, map: MapDecl, type: Type, given: Expr): Inst {
  const { b } = l;
  const ready = evaluateEffects(l, given);
  const record = reserve(l, map, type);
  const result = l.newVariable();
  l.isNull(
    record,
    () => {
      l.countLoss(map);
      b.write(result, b.constant(0n));
    },
    () => {
      l.regions.push({ release: () => void b.call(CALLEE.discard, [record, b.constant(0n)]) });
      into(l, type, ready, { base: record, offset: 0, align: 8, zeroed: false });
      l.regions.pop();
      b.call(CALLEE.submit, [record, b.constant(0n)]);
      b.write(result, b.constant(1n));
    },
  );
  return b.read(result);
}

/**
 * What changes something is done before the record is taken, as the source says, and whether there is room or not. The rest
 * is computed where it is written.
 */
function evaluateEffects(l: Lowering, given: Expr): Expr {
  if (given.op !== "object" || !hasEffects(given)) return given;
  return inOrder(l, given);
}

/** An expression whose parts are computed, in their order; what is left only puts them together. */
function inOrder(l: Lowering, given: Expr): Expr {
  const { type, span } = given;
  if (isConstant(given)) return given;
  if (given.op === "object")
    return { ...given, fields: given.fields.map((field) => ({ ...field, value: inOrder(l, field.value) })) };
  if (given.op === "elements") return { ...given, values: given.values.map((each) => inOrder(l, each)) };
  const local: Local = { name: "", type, mutable: false, span };
  if (isAggregate(type) || pairs(type)) {
    // What is read of the process, the kernel or the context is not changed by what the program does.
    if (!hasEffects(given) && !readsOwnMemory(given)) return given;
    const storage = l.declare(local);
    if (storage.kind !== "slot") return given;
    into(l, type, given, l.inSlot(storage.slot));
  } else {
    const storage = l.declare(local);
    if (storage.kind === "value") l.b.write(storage.variable, value(l, given));
  }
  return { op: "local", local, type, span };
}

/** Whether it reads what programs may write: variables, maps, records. */
function readsOwnMemory(given: Expr): boolean {
  let found = false;
  walkExpr(given, {
    expr: (each) => {
      if (/^(map|storage)/.test(each.op)) found = true;
    },
    place: ({ base }) => {
      if (base.kind === "local" || (base.kind === "global" && base.global.kind === "global")) found = true;
      if (base.kind === "pointer" && base.pointer.type.kind !== "kernelPointer") found = true;
    },
  });
  return found;
}

function isConstant({ op }: Expr): boolean {
  return op === "number" || op === "boolean" || op === "string";
}

/**
 * A record that has to be given back, and whether it does: a number of its own, because kernels before 6.2 do not know that the
 * address of a record that was tested is not null, and go both ways when it is tested again.
 */
export interface Held {
  readonly record: Variable;
  readonly isTaken: Variable;
}

/** For each new record whether there was room, as it was found out. */
const TAKEN = new WeakMap<Inst, Variable>();

/** `ring.reserve()`: a record of zeros, or null; who takes it says what becomes of it (`hold`). */
export function ringReserve(l: Lowering, { map, record: type }: Op<"ringReserve">): Inst {
  const { b } = l;
  const record = reserve(l, map, type);
  const isTaken = l.newVariable();
  l.isNull(
    record,
    () => {
      l.countLoss(map);
      b.write(isTaken, b.constant(0n));
    },
    () => {
      zero(l, { base: record, offset: 0, align: 8, zeroed: false }, 0, sizeOf(type));
      b.write(isTaken, b.constant(1n));
    },
  );
  TAKEN.set(record, isTaken);
  return record;
}

/** `records.output(value, length)`: whether there was room. */
export function ringOutput(l: Lowering, { map, place, length }: Op<"ringOutput">): Inst {
  const { b } = l;
  const from = placeAddress(l, place);
  const size = lengthWithin(l, place, length);
  return succeeded(l, b.call(CALLEE.output, [b.map(map.name), from, size, b.constant(0n)]), map);
}

/** Whether a local may hold a record that has to be given back. */
export function isRecord(type: Type): boolean {
  if (type.kind === "optional") return isRecord(type.of);
  return type.kind === "reference" && type.memory === "ring";
}

/** From here to the end of the scope the local is answerable for a record: whichever it holds then is given back. */
export function hold(l: Lowering, local: Local, record: Inst): void {
  const held: Held = { record: l.newVariable(), isTaken: l.newVariable() };
  holdAnother(l, held, record);
  l.records.set(local, held);
  l.regions.push({ release: () => giveBack(l, held) });
}

/** Holds a record in the place of the one before, which was given back. */
export function holdAnother(l: Lowering, held: Held, record: Inst): void {
  const { b } = l;
  b.write(held.record, record);
  const isTaken = TAKEN.get(record);
  if (isTaken !== undefined) b.write(held.isTaken, b.read(isTaken));
  else if (record.op === "const") b.write(held.isTaken, b.constant(0n));
  else
    l.isNull(
      record,
      () => b.write(held.isTaken, b.constant(0n)),
      () => b.write(held.isTaken, b.constant(1n)),
    );
}

/** Discards what is held, if anything is. */
export function giveBack(l: Lowering, held: Held): void {
  const { b } = l;
  const isTaken = b.read(held.isTaken);
  if (isTaken.op === "const" && isTaken.imm === 0n) return;
  l.when("ne", isTaken, l.zero(), () => void b.call(CALLEE.discard, [b.read(held.record), b.constant(0n)]));
}

/** `record.submit()`, `record.discard()`: from here on it is not given back. */
export function takeBack(l: Lowering, expr: Op<"ringSubmit" | "ringDiscard">): void {
  const { b } = l;
  const record = value(l, expr.slot);
  const local = localOf(expr.slot);
  const held = local === undefined ? undefined : l.records.get(local);
  if (held === undefined && l.outline !== undefined) {
    l.report("EB4302", expr.span, "a record that was reserved outside of this loop cannot be given away inside it", {
      why: "The loop's body is a function of its own for the kernel, and may only give away what it took itself.",
      help: "Leave the loop first, then submit the record.",
    });
    return;
  }
  b.call(expr.op === "ringSubmit" ? CALLEE.submit : CALLEE.discard, [record, b.constant(0n)]);
  if (held !== undefined) b.write(held.isTaken, b.constant(0n));
}

export function localOf(expr: Expr): Local | undefined {
  if (expr.op === "local") return expr.local;
  return expr.op === "unwrap" || expr.op === "wrap" ? localOf(expr.value) : undefined;
}

/** `stacks.id()`: the id of a stack, negative when it could not be kept. */
export function stackId(l: Lowering, { map, user, span }: Op<"stackId">): Inst {
  const { b } = l;
  if (l.program?.sleepable === true)
    l.report("EB4103", span, "a program that JavaScript runs has no call stack to take", {
      why: "`syscall` programs may sleep, and the kernel takes stacks only where nothing does.",
      help: "Take it in a program at a tracepoint or probe.",
    });
  // Before Linux 6.4 an error has the lower half of the register only.
  return b.sext(b.call(CALLEE.stackId, [l.context(), b.map(map.name), b.constant(user ? USER_STACK : 0n)]), 4);
}
