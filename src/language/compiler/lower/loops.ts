import type { Block, Inst } from "../ssa/ir.ts";
import { condition } from "./conditions.ts";
import type { Ways } from "./counting.ts";
import { type Of, tooMany, unbounded, wayOf } from "./loop-way.ts";
import type { Lowering } from "./lowering.ts";
import { lowerBody } from "./statements.ts";
import { MOST_TURNS, type Turns, turnsOf } from "./trip-count.ts";
import { below, manyTurns, writtenOutTurns } from "./turning.ts";

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
  const way = wayOf(l, stmt, { most, exact });
  switch (way) {
    case "unrolled":
      // Where it is known that it turns so often nothing is tested.
      writtenOutTurns(l, stmt.loop, most, (_, ways) => oneTurn(l, exact ? { ...stmt, test: undefined } : stmt, ways));
      return;
    case "plain":
      // Where the kernel is to be spared it is told how often at most, for it may know less than is true of what the test compares.
      plainLoop(l, stmt, most, counted?.most !== most || (l.unit.manner === "sparing" && !exact));
      return;
    case "iterator":
    case "callback":
      manyTurns(l, stmt, way, most, (inner, index, ways) => {
        if (counted?.counter !== undefined) countAgain(inner, counted.counter, index, most, ways.end);
        oneTurn(inner, stmt, ways);
      });
      return;
    default:
  }
}

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

/** `isCounted`: `most`, the turns that it must not go beyond, is not what the test says itself. */
function plainLoop(l: Lowering, stmt: Of<"loop">, most: number, isCounted: boolean): void {
  const { b } = l;
  const [head, next, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  const turn = l.newVariable();
  head.turns = most;
  if (isCounted) b.write(turn, b.constant(0n));
  b.jump(head);
  b.at(head);
  if (isCounted) {
    const go = b.newBlock();
    b.branch("ult", b.read(turn), b.constant(BigInt(most)), go, end);
    b.enter(go);
  }
  l.loops.set(stmt.loop, { breakTo: end, continueTo: next, depth: l.regions.length });
  turnOf(l, stmt, next, end);
  b.enter(next);
  afterTurn(l, stmt, end, () => {
    if (isCounted) b.write(turn, b.add(b.read(turn), b.constant(1n)));
    b.jump(head);
  });
  b.seal(head);
  l.loops.delete(stmt.loop);
  b.enter(end);
}

/** What a loop counts, by what the kernel counts: the kernel knows the one within its limits and nothing of the other. */
function countAgain(l: Lowering, counter: NonNullable<Turns["counter"]>, index: Inst, most: number, end: Block): void {
  const { b } = l;
  const storage = l.storage(counter.local);
  if (storage.kind !== "value") return;
  below(l, index, b.constant(BigInt(most)), end);
  const { start, step } = counter;
  const distance = step === 1n || step === -1n ? index : b.mul(index, b.constant(step < 0n ? -step : step));
  const from = b.constant(BigInt.asUintN(64, start));
  b.write(storage.variable, step < 0n ? b.sub(from, distance) : b.add(from, distance));
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
