import type { Local, Loop } from "../hir.ts";
import type { Block, Inst } from "../ssa/ir.ts";
import { Outline } from "./callback.ts";
import { CALLEE } from "./callees.ts";
import { counting, type Ways } from "./counting.ts";
import { isWrittenOutToSpare, type Of, uses } from "./loop-way.ts";
import type { Lowering } from "./lowering.ts";
import { lowerBody } from "./statements.ts";
import type { Uses } from "./walk.ts";

/** Turns with the numbers from `start` up to `end`, which an iterator of the kernel counts (Linux 6.4). */
export function iterated(
  l: Lowering,
  loop: Loop,
  start: Inst,
  end: Inst,
  turn: (index: Inst, ways: Ways) => void,
): void {
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
export function called(
  l: Lowering,
  used: Uses,
  count: Inst,
  turn: (inner: Lowering, index: Inst, ways: Ways) => void,
): void {
  const { b } = l;
  const outline = new Outline(l, "loop", ["scalar", "stack"], 1, used);
  const { inner } = outline;
  const index = inner.b.zext(inner.b.param(0), 4);
  callbackTurn(outline, (ways) => turn(inner, index, ways));
  outline.finish();
  b.call(CALLEE.loop, [count, b.functionAddress(outline.name), outline.shared, b.constant(0n)]);
  outline.after();
}

/** Leaves when a counter is not below its limit, which the kernel cannot know of what iterators and callbacks are given. */
export function below(l: Lowering, index: Inst, limit: Inst, end: Block): void {
  const { b } = l;
  const inside = b.newBlock();
  b.branch("ult", index, limit, inside, end);
  b.enter(inside);
}

export function writeLocal(l: Lowering, local: Local, it: Inst): void {
  const storage = l.declare(local);
  if (storage.kind === "value") l.b.write(storage.variable, it);
}

export function rangeBody(l: Lowering, stmt: Of<"range" | "each" | "entries">, { again, end }: Ways): void {
  l.loops.set(stmt.loop, { breakTo: end, continueTo: again, depth: l.regions.length });
  lowerBody(l, stmt.body);
  l.b.jump(again);
}

/** Turns from 0 on, counted by the kernel. */
export function manyTurns(
  l: Lowering,
  stmt: Of<"loop" | "range">,
  way: "iterator" | "callback",
  count: number,
  turn: (inner: Lowering, index: Inst, ways: Ways) => void,
): void {
  const most = l.b.constant(BigInt(count));
  if (way === "iterator") iterated(l, stmt.loop, l.zero(), most, (index, ways) => turn(l, index, ways));
  else called(l, uses(l, stmt), most, turn);
}

/** One call of a callback as a turn: going on and leaving are what it returns. */
export function callbackTurn(outline: Outline, turn: (ways: Ways) => void): void {
  const { inner } = outline;
  const ways = { again: inner.b.newBlock(), end: inner.b.newBlock() };
  turn(ways);
  if (inner.b.reachable) inner.b.jump(ways.again);
  inner.b.enter(ways.again);
  outline.next();
  inner.b.enter(ways.end);
  outline.stop();
}

/**
 * The verifier notes where it has been, to see when it comes there again, only eight instructions and two jumps or calls after it last
 * did. Where the ways of a turn meet it is to do so, or it goes on with each.
 */
const PAUSES = 9;

export function writtenOutTurns(l: Lowering, loop: Loop, count: number, turn: (i: number, ways: Ways) => void): void {
  const { b } = l;
  const end = b.newBlock();
  for (let i = 0; i < count; i++) {
    const again = b.newBlock();
    turn(i, { again, end });
    b.enter(again);
    if (isWrittenOutToSpare(l) && b.reachable) for (let k = 0; k < PAUSES; k++) b.call(CALLEE.pause, []);
  }
  l.loops.delete(loop);
  b.jump(end);
  b.enter(end);
}

/** A jump back: the kernel goes through every turn. */
export function plainTurns(
  l: Lowering,
  loop: Loop,
  start: Inst,
  end: Inst,
  most: number,
  turn: (index: Inst, ways: Ways) => void,
): void {
  counting(l, start, end, 1n, most, turn);
  l.loops.delete(loop);
}
