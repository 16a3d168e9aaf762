import type { Inst } from "../ssa/ir.ts";
import { turnsLoops } from "../target.ts";
import type { Ways } from "./counting.ts";
import { type Of, tooMany, unbounded, uses, wayOf } from "./loop-way.ts";
import type { Lowering } from "./lowering.ts";
import { constantOf, MOST_TURNS, upperBound } from "./trip-count.ts";
import { below, called, iterated, manyTurns, plainTurns, rangeBody, writeLocal, writtenOutTurns } from "./turning.ts";
import { value } from "./value.ts";

export function lowerRange(l: Lowering, stmt: Of<"range">): void {
  const start = constantOf(l, stmt.start);
  const end = constantOf(l, stmt.end);
  const first = value(l, stmt.start);
  const last = value(l, stmt.end);
  if (start !== undefined && end !== undefined && start >= 0n) {
    const turns = end > start ? Number(end - start) : 0;
    const most = Math.min(turns, stmt.atMost ?? turns);
    if (most > MOST_TURNS) tooMany(l, stmt, most);
    else knownRange(l, stmt, start, most);
    return;
  }
  const bound = upperBound(l, stmt.end);
  // A start that is unknown is 0 at least.
  const distance = bound === undefined ? undefined : Number(bound - (start !== undefined && start >= 0n ? start : 0n));
  const most = Math.max(0, Math.min(distance ?? MOST_TURNS, stmt.atMost ?? MOST_TURNS));
  if (distance === undefined && stmt.atMost === undefined && !turnsLoops(l.target.features)) {
    unbounded(l, stmt, "this range");
    return;
  }
  if (most > MOST_TURNS) {
    tooMany(l, stmt, most);
    return;
  }
  const way = wayOf(l, stmt, { most, exact: false });
  if (way === undefined) return;
  const count = clampedDistance(l, first, last, most);
  const body = (inner: Lowering, index: Inst, ways: Ways, begin: Inst) => {
    writeLocal(inner, stmt.local, inner.b.add(begin, index));
    rangeBody(inner, stmt, ways);
  };
  switch (way) {
    case "unrolled":
      writtenOutTurns(l, stmt.loop, most, (i, ways) => {
        const index = l.b.constant(BigInt(i));
        below(l, index, count, ways.end);
        body(l, index, ways, first);
      });
      return;
    case "iterator":
      iterated(l, stmt.loop, l.zero(), count, (index, ways) => {
        below(l, index, count, ways.end);
        body(l, index, ways, first);
      });
      return;
    case "callback": {
      // The body is a function of its own, where nothing is known of what it is handed: what is known here is said there.
      const isKnown = start !== undefined && start >= 0n;
      const begin = { name: "", type: stmt.start.type, mutable: false, span: stmt.span };
      if (!isKnown) writeLocal(l, begin, first);
      const inside = uses(l, stmt);
      const used = isKnown ? inside : { ...inside, locals: new Set([...inside.locals, begin]) };
      called(l, used, count, (inner, index, ways) => {
        if (inside.locals.has(stmt.local)) below(inner, index, inner.b.constant(BigInt(most)), ways.end);
        body(inner, index, ways, isKnown ? inner.b.constant(start) : inner.readLocal(begin));
      });
      return;
    }
    default:
      plainTurns(l, stmt.loop, l.zero(), count, most, (index, ways) => body(l, index, ways, first));
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

function knownRange(l: Lowering, stmt: Of<"range">, start: bigint, count: number): void {
  const { b } = l;
  const way = wayOf(l, stmt, { most: count, exact: true });
  const named = uses(l, stmt).locals.has(stmt.local);
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
      plainTurns(l, stmt.loop, b.constant(start), b.constant(end), count, (index, ways) => turn(l, index, ways));
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
