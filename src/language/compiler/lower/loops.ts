import type { Expr, Loop, Stmt } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate, sizeOf, U32 } from "../type.ts";
import { Outline } from "./callback.ts";
import { CALLEE } from "./callees.ts";
import { usesOfFunction } from "./calls.ts";
import { fromAddress } from "./into.ts";
import { comparedIn, verifiedCost } from "./loop-cost.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { type Address, readAt, resolve } from "./places.ts";
import { loadScalar } from "./scalar-memory.ts";
import { lowerBody } from "./statements.ts";
import { constantOf, MOST_TURNS, type Turns, turnsOf, upperBound } from "./trip-count.ts";
import { condition, value } from "./value.ts";
import { type Uses, usesOf } from "./walk.ts";

type Of<Op extends Stmt["op"]> = Extract<Stmt, { readonly op: Op }>;

/** A loop is written out when that takes about so many instructions. */
const UNROLLED = 64;
/** So many turns the kernel goes through one by one without a word. */
const PLAIN = 512;
/** … when how many there are is known at run time only: each turn may be the last. */
const PLAIN_UNKNOWN = 64;
/** Instructions that the kernel may go through in a plain loop where it knows no better way. */
const BUDGET = 400_000;
/** … and where it does. */
const PLAIN_BUDGET = 50_000;

function uses(l: Lowering, stmt: Stmt): Uses {
  return usesOf([stmt], (callee) => usesOfFunction(l.unit, callee));
}

/** What the kernel goes through for one turn. */
function costOfTurn(l: Lowering, stmt: Of<"loop" | "range" | "each">): number {
  const size = (body: readonly Stmt[]) => usesOf(body, (callee) => usesOfFunction(l.unit, callee)).cost;
  return verifiedCost(stmt.op === "loop" ? [...stmt.body, ...stmt.update] : stmt.body, size);
}

/**
 * Hides from the kernel what the numbers begin with that a loop changes and compares. Knowing them, it would follow each turn by
 * itself, as every one begins with other numbers; not knowing, it sees that all turns are alike.
 */
function forgetNumbers(l: Lowering, stmt: Stmt): void {
  const { assigned, declared } = uses(l, stmt);
  const compared = comparedIn(stmt);
  for (const local of assigned) {
    if (declared.has(local) || !compared.has(local) || !l.has(local)) continue;
    const storage = l.storage(local);
    const variable = storage.kind === "value" || storage.kind === "pair" ? storage : undefined;
    if (variable === undefined) continue;
    const of = variable.kind === "pair" ? variable.value : variable.variable;
    const now = l.b.read(of);
    if (now.kind === "scalar" && !isUnknown(now)) l.b.write(of, l.b.add(now, l.unknownZero()));
  }
}

/** Whether the kernel knows nothing of the value anyway. */
function isUnknown({ op, size }: Inst): boolean {
  return op === "call" || (op === "load" && size === 8) || op === "atomic";
}

/** How a loop is turned: written out, as a jump back, by an iterator of the kernel, by a helper that calls its body. */
type Way = "unrolled" | "plain" | "iterator" | "callback";

/** The best way that the kernel takes; undefined, and reported, when there is none. */
function wayOf(l: Lowering, stmt: Of<"loop" | "range" | "each">, turns: Turns, cost: number): Way | undefined {
  const { features } = l.target;
  const { most, exact } = turns;
  if (exact && most * cost <= UNROLLED) return "unrolled";
  const verified = most * costOfTurn(l, stmt);
  if (most <= (exact ? PLAIN : PLAIN_UNKNOWN) && verified <= PLAIN_BUDGET) return "plain";
  if (features.iterNum || features.loop) {
    forgetNumbers(l, stmt);
    return features.iterNum ? "iterator" : "callback";
  }
  if (verified <= BUDGET) return "plain";
  l.report("EB4301", stmt.span, `this loop may turn ${shown(most)} times, which Linux ${l.target.release} cannot do`, {
    why: "Before Linux 5.17 the kernel goes through every turn of a loop when it loads the program, and through a million instructions at most.",
    help: "Turn less often (`atMost`), or do part of the work in user space.",
  });
  return undefined;
}

function shown(n: number): string {
  return n.toLocaleString("en-US");
}

function unbounded(l: Lowering, stmt: Stmt, what: string): void {
  l.report("EB2301", stmt.span, `nothing says how often ${what} turns at most`, {
    why: "The kernel loads a program only when it can see that it ends.",
    help: "Say how often: `for (const i of range(0, n, { atMost: 256 }))`, `while (test && atMost(256))`.",
  });
}

function tooMany(l: Lowering, stmt: Stmt, most: number): void {
  l.report("EB2302", stmt.span, `this loop may turn ${shown(most)} times`, {
    why: `The kernel lets no loop turn more often than ${shown(MOST_TURNS)} times.`,
    help: "Give a smaller bound.",
  });
}

// for (;;), while, do … while

export function lowerLoop(l: Lowering, stmt: Of<"loop">): void {
  const counted = turnsOf(l, stmt);
  const most = Math.min(counted?.most ?? Number.POSITIVE_INFINITY, stmt.atMost ?? Number.POSITIVE_INFINITY);
  if (most === Number.POSITIVE_INFINITY) {
    unbounded(l, stmt, "it");
    return;
  }
  if (most > MOST_TURNS) {
    tooMany(l, stmt, most);
    return;
  }
  const exact = counted?.exact === true && counted.most === most;
  const { cost } = uses(l, stmt);
  const way = wayOf(l, stmt, { most, exact }, cost);
  switch (way) {
    case "unrolled":
      writtenOut(l, stmt, most);
      return;
    case "plain":
      plainLoop(l, stmt, stmt.atMost !== undefined && counted?.most !== most ? most : undefined);
      return;
    case "iterator":
      iterated(l, stmt.loop, l.zero(), l.b.constant(BigInt(most)), (_index, next) => oneTurn(l, stmt, next));
      return;
    case "callback":
      called(l, stmt, l.b.constant(BigInt(most)), (inner, _index, outline) => {
        const next = inner.b.newBlock();
        const end = inner.b.newBlock();
        inner.loops.set(stmt.loop, { breakTo: end, continueTo: next, depth: 0 });
        turnOf(inner, stmt, next, end);
        inner.b.enter(next);
        afterTurn(inner, stmt, end, () => outline.next());
        inner.b.enter(end);
        outline.stop();
      });
      return;
    default:
  }
}

type Block = ReturnType<Lowering["b"]["newBlock"]>;

/** The test, where it stands first, and the body; goes on at `next`, or leaves to `end`. */
function turnOf(l: Lowering, stmt: Of<"loop">, next: Block, end: Block): void {
  const { b } = l;
  if (stmt.test !== undefined && !stmt.testLast) {
    const body = b.newBlock();
    condition(l, stmt.test, body, end);
    b.enter(body);
  }
  lowerBody(l, stmt.body);
  b.jump(next);
}

/** What is done between turns, and the test where it stands last. */
function afterTurn(l: Lowering, stmt: Of<"loop">, end: Block, then: () => void): void {
  const { b } = l;
  lowerBody(l, stmt.update);
  if (stmt.testLast && stmt.test !== undefined) {
    const again = b.newBlock();
    condition(l, stmt.test, again, end);
    b.enter(again);
  }
  then();
}

function writtenOut(l: Lowering, stmt: Of<"loop">, count: number): void {
  const { b } = l;
  const end = b.newBlock();
  for (let i = 0; i < count; i++) {
    const next = b.newBlock();
    l.loops.set(stmt.loop, { breakTo: end, continueTo: next, depth: l.regions.length });
    lowerBody(l, stmt.body);
    b.jump(next);
    b.enter(next);
    lowerBody(l, stmt.update);
  }
  l.loops.delete(stmt.loop);
  b.jump(end);
  b.enter(end);
}

/** `atMost`: turns that it must not go beyond, where the test does not say so itself. */
function plainLoop(l: Lowering, stmt: Of<"loop">, atMost: number | undefined): void {
  const { b } = l;
  const [head, next, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  const turn = l.newVariable();
  if (atMost !== undefined) b.write(turn, b.constant(0n));
  b.jump(head);
  b.at(head);
  if (atMost !== undefined) {
    const go = b.newBlock();
    b.branch("ult", b.read(turn), b.constant(BigInt(atMost)), go, end);
    b.enter(go);
  }
  l.loops.set(stmt.loop, { breakTo: end, continueTo: next, depth: l.regions.length });
  turnOf(l, stmt, next, end);
  b.enter(next);
  afterTurn(l, stmt, end, () => {
    if (atMost !== undefined) b.write(turn, b.add(b.read(turn), b.constant(1n)));
    b.jump(head);
  });
  b.seal(head);
  l.loops.delete(stmt.loop);
  b.enter(end);
}

/** One turn of a loop whose turns something else counts. */
function oneTurn(l: Lowering, stmt: Of<"loop">, { again, end }: Ways): void {
  const { b } = l;
  const next = b.newBlock();
  l.loops.set(stmt.loop, { breakTo: end, continueTo: next, depth: l.regions.length });
  turnOf(l, stmt, next, end);
  b.enter(next);
  afterTurn(l, stmt, end, () => b.jump(again));
}

interface Ways {
  readonly again: Block;
  readonly end: Block;
}

/** Turns with the numbers from `start` up to `end`, which an iterator of the kernel counts (Linux 6.4). */
function iterated(l: Lowering, loop: Loop, start: Inst, end: Inst, turn: (index: Inst, ways: Ways) => void): void {
  const { b } = l;
  const { base } = l.scratch(8, 8, "iterator");
  b.call(CALLEE.iterNew, [base, start, end]);
  l.regions.push({ release: () => void b.call(CALLEE.iterDestroy, [base]) });
  const [head, body, again, done] = [b.newBlock(), b.newBlock(), b.newBlock(), b.newBlock()];
  b.jump(head);
  b.at(head);
  const element = b.call(CALLEE.iterNext, [base], { kind: "memory", nullable: true });
  b.branch("ne", element, b.constant(0n), body, done);
  b.enter(body);
  turn(b.load(element, 0, 4), { again, end: done });
  if (b.reachable) b.jump(again);
  b.enter(again);
  b.jump(head);
  b.seal(head);
  l.loops.delete(loop);
  l.regions.pop();
  b.enter(done);
  b.call(CALLEE.iterDestroy, [base]);
}

/** Turns that a helper makes, each a call of the body as a function of its own (Linux 5.17). */
function called(
  l: Lowering,
  stmt: Stmt,
  count: Inst,
  turn: (inner: Lowering, index: Inst, outline: Outline) => void,
): void {
  const { b } = l;
  const outline = new Outline(l, "loop", ["scalar", "stack"], 1, uses(l, stmt));
  turn(outline.inner, outline.inner.b.zext(outline.inner.b.param(0), 4), outline);
  outline.finish();
  b.call(CALLEE.loop, [count, b.functionAddress(outline.name), outline.shared, b.constant(0n)]);
  outline.after();
}

// range()

export function lowerRange(l: Lowering, stmt: Of<"range">): void {
  const { b } = l;
  const start = constantOf(l, stmt.start);
  const end = constantOf(l, stmt.end);
  const first = value(l, stmt.start);
  const last = value(l, stmt.end);
  const { cost, locals } = uses(l, stmt);
  if (start !== undefined && end !== undefined && start >= 0n) {
    const turns = end > start ? Number(end - start) : 0;
    const most = Math.min(turns, stmt.atMost ?? turns);
    if (most > MOST_TURNS) tooMany(l, stmt, most);
    else knownRange(l, stmt, start, most, cost, locals.has(stmt.local));
    return;
  }
  const bound = upperBound(l, stmt.end);
  // A start that is unknown is 0 at least.
  const distance = bound === undefined ? undefined : Number(bound - (start !== undefined && start >= 0n ? start : 0n));
  const most = Math.max(0, Math.min(distance ?? MOST_TURNS, stmt.atMost ?? MOST_TURNS));
  if (distance === undefined && stmt.atMost === undefined && !l.target.features.iterNum && !l.target.features.loop) {
    unbounded(l, stmt, "this range");
    return;
  }
  if (most > MOST_TURNS) {
    tooMany(l, stmt, most);
    return;
  }
  const way = wayOf(l, stmt, { most, exact: false }, cost);
  if (way === undefined) return;
  const count = clampedDistance(l, first, last, most);
  const body = (inner: Lowering, index: Inst, ways: Ways, begin: Inst) => {
    writeLocal(inner, stmt.local, inner.b.add(begin, index));
    rangeBody(inner, stmt, ways);
  };
  switch (way) {
    case "iterator":
      iterated(l, stmt.loop, l.zero(), count, (index, ways) => {
        below(l, index, count, ways.end);
        body(l, index, ways, first);
      });
      return;
    case "callback": {
      // What the body needs besides its own names.
      const begin = { name: "", type: stmt.start.type, mutable: false, span: stmt.span };
      const limit = { name: "", type: stmt.start.type, mutable: false, span: stmt.span };
      for (const [local, it] of [
        [begin, first],
        [limit, count],
      ] as const) {
        const storage = l.declare(local);
        if (storage.kind === "value") b.write(storage.variable, it);
      }
      const inside = uses(l, stmt);
      const outline = new Outline(l, "loop", ["scalar", "stack"], 1, {
        ...inside,
        locals: new Set([...inside.locals, begin, limit]),
      });
      const { inner } = outline;
      const index = inner.b.zext(inner.b.param(0), 4);
      callbackTurn(inner, outline, (ways) => {
        below(inner, index, inner.readLocal(limit), ways.end);
        body(inner, index, ways, inner.readLocal(begin));
      });
      outline.finish();
      b.call(CALLEE.loop, [count, b.functionAddress(outline.name), outline.shared, b.constant(0n)]);
      outline.after();
      return;
    }
    default:
      plainTurns(l, stmt.loop, l.zero(), count, (index, ways) => body(l, index, ways, first));
  }
}

/** `end - start`, 0 when it would be negative, and no more than `most`. */
function clampedDistance(l: Lowering, start: Inst, end: Inst, most: number): Inst {
  const { b } = l;
  const count = l.newVariable();
  l.when(
    "ugt",
    end,
    start,
    () => {
      const distance = b.sub(end, start);
      l.when(
        "ugt",
        distance,
        b.constant(BigInt(most)),
        () => b.write(count, b.constant(BigInt(most))),
        () => b.write(count, distance),
      );
    },
    () => b.write(count, b.constant(0n)),
  );
  return b.read(count);
}

/** Leaves when a counter is not below its limit, which the kernel cannot know of what iterators and callbacks are given. */
function below(l: Lowering, index: Inst, limit: Inst, end: Block): void {
  const { b } = l;
  const inside = b.newBlock();
  b.branch("ult", index, limit, inside, end);
  b.enter(inside);
}

function writeLocal(l: Lowering, local: Of<"range">["local"], it: Inst): void {
  const storage = l.declare(local);
  if (storage.kind === "value") l.b.write(storage.variable, it);
}

function rangeBody(l: Lowering, stmt: Of<"range" | "each">, { again, end }: Ways): void {
  l.loops.set(stmt.loop, { breakTo: end, continueTo: again, depth: l.regions.length });
  lowerBody(l, stmt.body);
  l.b.jump(again);
}

function knownRange(l: Lowering, stmt: Of<"range">, start: bigint, count: number, cost: number, named: boolean): void {
  const { b } = l;
  const way = wayOf(l, stmt, { most: count, exact: true }, cost);
  const end = start + BigInt(count);
  const turn = (inner: Lowering, index: Inst, ways: Ways) => {
    writeLocal(inner, stmt.local, index);
    rangeBody(inner, stmt, ways);
  };
  switch (way) {
    case "unrolled":
      writtenOutTurns(l, stmt.loop, count, (i, ways) => turn(l, b.constant(start + BigInt(i)), ways));
      return;
    case "plain":
      plainTurns(l, stmt.loop, b.constant(start), b.constant(end), (index, ways) => turn(l, index, ways));
      return;
    case "iterator":
    case "callback":
      manyTurns(l, stmt, way, count, (inner, index, ways) => {
        if (named) below(inner, index, inner.b.constant(BigInt(count)), ways.end);
        turn(inner, inner.b.add(index, inner.b.constant(start)), ways);
      });
      return;
    default:
  }
}

/** Turns from 0 on, counted by the kernel. */
function manyTurns(
  l: Lowering,
  stmt: Of<"range" | "each">,
  way: "iterator" | "callback",
  count: number,
  turn: (inner: Lowering, index: Inst, ways: Ways) => void,
): void {
  const most = l.b.constant(BigInt(count));
  if (way === "iterator") iterated(l, stmt.loop, l.zero(), most, (index, ways) => turn(l, index, ways));
  else
    called(l, stmt, most, (inner, index, outline) => {
      callbackTurn(inner, outline, (ways) => turn(inner, index, ways));
    });
}

/** One call of a callback as a turn: going on and leaving are what it returns. */
function callbackTurn(inner: Lowering, outline: Outline, turn: (ways: Ways) => void): void {
  const ways = { again: inner.b.newBlock(), end: inner.b.newBlock() };
  turn(ways);
  if (inner.b.reachable) inner.b.jump(ways.again);
  inner.b.enter(ways.again);
  outline.next();
  inner.b.enter(ways.end);
  outline.stop();
}

function writtenOutTurns(l: Lowering, loop: Loop, count: number, turn: (i: number, ways: Ways) => void): void {
  const { b } = l;
  const end = b.newBlock();
  for (let i = 0; i < count; i++) {
    const again = b.newBlock();
    turn(i, { again, end });
    b.enter(again);
  }
  l.loops.delete(loop);
  b.jump(end);
  b.enter(end);
}

/** A jump back: the kernel goes through every turn. */
function plainTurns(l: Lowering, loop: Loop, start: Inst, end: Inst, turn: (index: Inst, ways: Ways) => void): void {
  const { b } = l;
  const index = l.newVariable();
  b.write(index, start);
  const [head, body, again, done] = [b.newBlock(), b.newBlock(), b.newBlock(), b.newBlock()];
  b.jump(head);
  b.at(head);
  b.branch("ult", b.read(index), end, body, done);
  b.enter(body);
  turn(b.read(index), { again, end: done });
  b.enter(again);
  b.write(index, b.add(b.read(index), b.constant(1n)));
  b.jump(head);
  b.seal(head);
  l.loops.delete(loop);
  b.enter(done);
}

// for (const element of array)

export function lowerEach(l: Lowering, stmt: Of<"each">): void {
  const { type } = stmt.of;
  const length = type.kind === "array" ? type.length : sizeOf(type);
  const element = type.kind === "array" ? type.element : ({ kind: "int", bits: 8, signed: false } as const);
  const stride = sizeOf(element);
  const at = resolve(l, stmt.of);
  const { cost } = uses(l, stmt);
  const known = wayOf(l, stmt, { most: length, exact: true }, cost);
  // A callback would have to take the place with it: a plain jump back turns as often.
  const way = known === "callback" ? "plain" : known;
  if (way === undefined) return;
  const turn = (here: Address, ways: Ways) => {
    const storage = l.declare(stmt.local);
    if (storage.kind === "value")
      l.b.write(storage.variable, readAt(l, { ...stmt.of, type: element, indices: [], offset: 0 }, here));
    else if (storage.kind === "slot" && isAggregate(element)) {
      const to: Destination = { base: l.b.slot(storage.slot), offset: 0, align: storage.slot.align, zeroed: false };
      fromAddress(l, stmt.local.type, element, here, to);
    }
    rangeBody(l, stmt, ways);
  };
  const moved = (index: Inst): Address => {
    const base = l.b.offset(at.base, stride === 1 ? index : l.b.mul(index, l.b.constant(BigInt(stride))));
    if (at.memory === "kernel" && base !== at.base) base.kind = "plain";
    let { align } = at;
    while (align > 1 && stride % align !== 0) align /= 2;
    return { ...at, base, align };
  };
  // What the context holds is read at fixed offsets only.
  if (way === "unrolled" || at.memory === "context")
    writtenOutTurns(l, stmt.loop, length, (i, ways) => turn({ ...at, offset: at.offset + i * stride }, ways));
  else if (way === "iterator")
    iterated(l, stmt.loop, l.zero(), l.b.constant(BigInt(length)), (index, ways) => {
      below(l, index, l.b.constant(BigInt(length)), ways.end);
      turn(moved(index), ways);
    });
  else plainTurns(l, stmt.loop, l.zero(), l.b.constant(BigInt(length)), (index, ways) => turn(moved(index), ways));
}

// for (const [key, value] of map)

export function lowerEntries(l: Lowering, stmt: Of<"entries">): void {
  const { b, target } = l;
  if (!target.features.forEachMapElem) {
    l.report("EB4301", stmt.span, `Linux ${target.release} cannot go through a map's elements`, {
      why: "The helper bpf_for_each_map_elem is there since Linux 5.13.",
      help: "Go through the map in user space, or look for keys that you know.",
    });
    return;
  }
  const outline = new Outline(l, "entries", ["map", "memory", "memory", "stack"], 3, uses(l, stmt));
  const { inner } = outline;
  bindElement(inner, stmt);
  callbackTurn(inner, outline, ({ again, end }) => {
    inner.loops.set(stmt.loop, { breakTo: end, continueTo: again, depth: 0 });
    lowerBody(inner, stmt.body);
    inner.b.jump(again);
  });
  outline.finish();
  b.call(CALLEE.forEachElement, [
    b.map(stmt.map.name),
    b.functionAddress(outline.name),
    outline.shared,
    b.constant(0n),
  ]);
  outline.after();
}

/** The names of an element's key and value, in the callback. */
function bindElement(inner: Lowering, { map, key, value: element }: Of<"entries">): void {
  for (const [local, index, type] of [
    [key, 1, map.key ?? U32],
    [element, 2, map.value],
  ] as const) {
    if (local === undefined || type === undefined) continue;
    const at = inner.b.param(index);
    const variable = inner.newVariable(local.name);
    if (isAggregate(local.type)) inner.place(local, { kind: "address", variable });
    else inner.place(local, { kind: "value", variable });
    const scalar = !isAggregate(local.type) && local.type.kind !== "reference" && local.type.kind !== "cell";
    inner.b.write(variable, scalar ? loadScalar(inner, type, at, 0) : at);
  }
}

export type { Expr };
