import { condition } from "./conditions.ts";
import { type Of, tooMany, unbounded, uses, wayOf } from "./loop-way.ts";
import type { Lowering } from "./lowering.ts";
import { lowerBody } from "./statements.ts";
import { MOST_TURNS, turnsOf } from "./trip-count.ts";
import { type Block, called, iterated, type Ways } from "./turning.ts";

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
