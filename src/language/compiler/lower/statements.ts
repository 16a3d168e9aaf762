import type { Expr, Local, Place, Stmt } from "../hir.ts";
import type { Variable } from "../ssa/builder.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate, sizeOf } from "../type.ts";
import { binary } from "./arithmetic.ts";
import { returnFrom } from "./calls.ts";
import { whether } from "./conditions.ts";
import { lowerEach, lowerEntries } from "./element-loops.ts";
import { fromAddress, into, placeOf } from "./into.ts";
import { lowerLoop } from "./loops.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { copyWords, zero } from "./memory.ts";
import { inChain, pair } from "./optionals.ts";
import { type Address, readAt, resolve, writeAt } from "./places.ts";
import { lowerRange } from "./range-loops.ts";
import { giveBack, hold, holdAnother, isRecord, localOf } from "./rings.ts";
import { pairs } from "./shape.ts";
import { value } from "./value.ts";
import { walkExpr } from "./walk.ts";

/** A scope: records that its locals hold at its end are given back. */
export function lowerBody(l: Lowering, body: readonly Stmt[]): void {
  const depth = l.regions.length;
  for (const stmt of body) {
    const before = l.b.span;
    l.b.span = stmt.span;
    lowerStmt(l, stmt);
    l.b.span = before;
  }
  l.close(depth);
}

function lowerStmt(l: Lowering, stmt: Stmt): void {
  switch (stmt.op) {
    case "let":
      declare(l, stmt.local, stmt.init);
      return;
    case "assign":
      assign(l, stmt.local, stmt.value);
      return;
    case "store":
      store(l, stmt.place, stmt.value);
      return;
    case "update": {
      const at = resolve(l, stmt.place);
      const old = readAt(l, stmt.place, at);
      const by = value(l, stmt.value);
      const { type } = stmt.place;
      writeAt(l, stmt.place, at, binary(l, stmt.binary, type.kind === "int" && type.signed, old, by));
      return;
    }
    case "expr":
      effect(l, stmt.value);
      return;
    case "if":
      whether(
        l,
        stmt.test,
        () => lowerBody(l, stmt.then),
        () => lowerBody(l, stmt.else),
      );
      return;
    case "switch":
      lowerSwitch(l, stmt);
      return;
    case "loop":
      lowerLoop(l, stmt);
      return;
    case "range":
      lowerRange(l, stmt);
      return;
    case "each":
      lowerEach(l, stmt);
      return;
    case "entries":
      lowerEntries(l, stmt);
      return;
    case "break":
    case "continue":
      leaveLoop(l, stmt);
      return;
    case "return":
      returnFrom(l, stmt.value);
      return;
    case "block":
      lowerBody(l, stmt.body);
  }
}

export function leaveLoop(l: Lowering, { op, loop }: Extract<Stmt, { readonly op: "break" | "continue" }>): void {
  const target = l.loops.get(loop);
  if (target === undefined) {
    l.outline?.leaveLoop(op, loop);
    return;
  }
  l.release(target.depth);
  const to = op === "break" ? target.breakTo : target.continueTo;
  if (to !== undefined) l.b.jump(to);
}

function declare(l: Lowering, local: Local, init: Expr | undefined): void {
  const { b } = l;
  const storage = l.declare(local);
  switch (storage.kind) {
    case "value": {
      const it = init === undefined ? b.constant(0n) : value(l, init);
      writeFirst(l, local, storage.variable, it);
      if (isRecord(local.type)) take(l, local, init, it);
      return;
    }
    case "pair": {
      const { present, value: got } =
        init === undefined ? { present: b.constant(0n), value: b.constant(0n) } : pair(l, init);
      b.write(storage.present, present);
      b.write(storage.value, got);
      return;
    }
    case "slot": {
      const to = l.inSlot(storage.slot);
      if (init === undefined) zero(l, to, 0, sizeOf(local.type));
      else into(l, local.type, init, to);
      return;
    }
    case "address":
      if (init !== undefined) b.write(storage.variable, value(l, init));
  }
}

/** What a local begins with. References that never change stay what they are in loops: where they point to is seen there, too. */
export function writeFirst({ b }: Lowering, { type, mutable }: Local, variable: Variable, it: Inst): void {
  if (type.kind === "reference" && type.memory === "map" && !mutable) b.define(variable, it);
  else b.write(variable, it);
}

/** The local holds a record: a new one that it is answerable for, or one that another is. */
function take(l: Lowering, local: Local, init: Expr | undefined, it: Inst): void {
  const other = init === undefined ? undefined : localOf(init);
  const held = other === undefined ? undefined : l.records.get(other);
  if (held !== undefined) l.records.set(local, held);
  else hold(l, local, it);
}

function assign(l: Lowering, local: Local, given: Expr): void {
  const { b } = l;
  const storage = l.storage(local);
  if (storage.kind === "pair") {
    const { present, value: got } = pair(l, given);
    b.write(storage.present, present);
    b.write(storage.value, got);
    return;
  }
  if (storage.kind !== "value") {
    store(l, placeOf(local, local.type, given.span), given);
    return;
  }
  const it = value(l, given);
  const held = l.records.get(local);
  if (held !== undefined) {
    giveBack(l, held);
    holdAnother(l, held, it);
  }
  b.write(storage.variable, it);
}

function store(l: Lowering, place: Place, given: Expr): void {
  const { type } = place;
  // The place first, then the value, as JavaScript does.
  const at = resolve(l, place);
  if (!isAggregate(type)) {
    writeAt(l, place, at, value(l, given));
    return;
  }
  const to: Destination = { base: at.base, offset: at.offset, align: at.align, zeroed: false };
  const isContext = at.memory === "context";
  if (!isContext && !mayOverlap(place, given)) {
    into(l, type, given, to);
    return;
  }
  const made = l.temporary(type, "copy");
  into(l, type, given, made);
  // Helpers write to no context, but for newer kernels.
  if (isContext) {
    copyWords(l, to, made, sizeOf(type));
    return;
  }
  const from: Address = { base: made.base, offset: made.offset, memory: "own", align: made.align, ours: true };
  fromAddress(l, type, type, from, to);
}

/** Whether the value may read what is written while it is being made. Copies from one place to another read before they write. */
function mayOverlap({ base }: Place, given: Expr): boolean {
  // What is copied whole stands at the very same place, or elsewhere: but for packets, of which any bytes are looked at as anything.
  if (given.op === "read" && !isPacket(given.place.base) && !isPacket(base)) return false;
  let overlaps = false;
  const isOther = (other: Place["base"]): boolean => {
    // Objects of the kernel are nothing that programs write.
    if (other.kind === "pointer" && other.pointer.type.kind === "kernelPointer") return true;
    if (base.kind === "local") return other.kind === "local" ? other.local !== base.local : other.kind !== "pointer";
    return other.kind === "local" || other.kind === "context";
  };
  walkExpr(given, {
    place: (other) => {
      if (!isOther(other.base)) overlaps = true;
    },
    expr: (each) => {
      if (each.op === "call") overlaps = true;
      if (each.op === "local" && isAggregate(each.type) && base.kind === "local" && each.local === base.local)
        overlaps = true;
      if (each.op === "unwrap" || each.op === "coalesce") overlaps ||= isAggregate(each.type);
    },
  });
  return overlaps;
}

function isPacket(base: Place["base"]): boolean {
  if (base.kind !== "pointer") return false;
  const { type } = base.pointer;
  return type.kind === "reference" && type.memory === "packet";
}

/** An expression whose value nobody wants. */
function effect(l: Lowering, expr: Expr): void {
  switch (expr.op) {
    case "ringReserve": {
      const depth = l.regions.length;
      hold(l, { name: "", type: expr.type, mutable: false, span: expr.span }, value(l, expr));
      l.close(depth);
      return;
    }
    // What they give, if anything, is left: `a && f()`, `x?.submit()`, `test ? f() : g()`.
    case "chain":
      chainEffect(l, expr);
      return;
    case "and":
      whether(
        l,
        expr.left,
        () => effect(l, expr.right),
        () => {},
      );
      return;
    case "or":
      whether(
        l,
        expr.left,
        () => {},
        () => effect(l, expr.right),
      );
      return;
    case "conditional":
      whether(
        l,
        expr.test,
        () => effect(l, expr.then),
        () => effect(l, expr.else),
      );
      return;
    default:
      if (isAggregate(expr.type)) into(l, expr.type, expr, l.temporary(expr.type, "unused"));
      else if (pairs(expr.type)) pair(l, expr);
      else value(l, expr);
  }
}

function chainEffect(l: Lowering, expr: Extract<Expr, { readonly op: "chain" }>): void {
  const record = isRecord(expr.value.type) && expr.value.op === "ringReserve";
  const depth = l.regions.length;
  if (record) {
    // The record is held by the name that the chain has for it.
    const it = value(l, expr.value);
    hold(l, expr.bound, it);
    const storage = l.declare(expr.bound);
    l.when("ne", it, l.zero(), () => {
      if (storage.kind === "value") l.b.write(storage.variable, it);
      effect(l, expr.then);
    });
    l.close(depth);
    return;
  }
  inChain(
    l,
    expr,
    () => effect(l, expr.then),
    () => {},
  );
}

/** Compares with each value in turn, then goes to the case; cases fall through. */
function lowerSwitch(l: Lowering, stmt: Extract<Stmt, { readonly op: "switch" }>): void {
  const { b } = l;
  const given = value(l, stmt.value);
  const end = b.newBlock();
  const bodies = stmt.cases.map(() => b.newBlock());
  const tests = stmt.cases.flatMap(({ values }, i) => values.map((each) => [each, bodies[i]] as const));
  for (const [each, body] of tests) {
    const next = b.newBlock();
    b.branch("eq", given, b.constant(each), body as NonNullable<typeof body>, next);
    b.enter(next);
  }
  b.jump(bodies[stmt.defaultCase] ?? end);
  l.loops.set(stmt.loop, { breakTo: end, continueTo: undefined, depth: l.regions.length });
  for (const [i, { body }] of stmt.cases.entries()) {
    b.enter(bodies[i] as NonNullable<(typeof bodies)[number]>);
    lowerBody(l, body);
    b.jump(bodies[i + 1] ?? end);
  }
  l.loops.delete(stmt.loop);
  b.enter(end);
}
