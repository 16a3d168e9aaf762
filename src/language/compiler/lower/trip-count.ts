import type { Expr, Local, Stmt } from "../hir.ts";
import { greatestOf, leastOf } from "../type.ts";
import { usesIn } from "./calls.ts";
import type { Lowering } from "./lowering.ts";
import { walkExpr, walkStmts } from "./walk.ts";

/** The kernel's helpers and iterators turn no oftener (BPF_MAX_LOOPS). */
export const MOST_TURNS = 8_388_608;

/** How often a loop turns. */
export interface Turns {
  readonly most: number;
  /** It is just so many, whatever happens, unless it is left. */
  readonly exact: boolean;
  /** What counts: `start` in the first turn, and each turn `step` more, and nothing else changes it. */
  readonly counter?: { readonly local: Local; readonly start: bigint; readonly step: bigint };
}

/** A number that is known while compiling; undefined for others. */
export function constantOf(l: Lowering, expr: Expr): bigint | undefined {
  switch (expr.op) {
    case "number":
      return expr.value;
    case "local": {
      if (expr.type.kind !== "int" || !l.has(expr.local)) return undefined;
      const it = l.readLocal(expr.local);
      if (it.op !== "const") return undefined;
      return expr.type.signed ? BigInt.asIntN(64, it.imm) : it.imm;
    }
    case "convert":
    case "fit": {
      const inner = constantOf(l, expr.value);
      if (inner === undefined || expr.type.kind !== "int") return undefined;
      const { bits, signed } = expr.type;
      const cut = signed ? BigInt.asIntN(bits, inner) : BigInt.asUintN(bits, inner);
      return expr.op === "convert" || cut === inner ? cut : undefined;
    }
    case "negate": {
      const inner = constantOf(l, expr.value);
      return inner === undefined ? undefined : -inner;
    }
    default:
      return undefined;
  }
}

/** What a value is never above, by its type and how it is made; undefined when it may be anything. Of unsigned values. */
export function upperBound(l: Lowering, expr: Expr): bigint | undefined {
  const known = constantOf(l, expr);
  if (known !== undefined) return known < 0n ? undefined : known;
  const byType =
    expr.type.kind === "int" && !expr.type.signed && expr.type.bits <= 16
      ? greatestOf(expr.type)
      : expr.type.kind === "bool"
        ? 1n
        : undefined;
  const byValue = boundOfValue(l, expr);
  if (byValue === undefined) return byType;
  return byType === undefined ? byValue : smaller(byValue, byType);
}

function boundOfValue(l: Lowering, expr: Expr): bigint | undefined {
  switch (expr.op) {
    case "binary": {
      const right = constantOf(l, expr.right);
      switch (expr.binary) {
        case "and": {
          const left = constantOf(l, expr.left);
          const mask = right ?? left;
          return mask === undefined || mask < 0n ? undefined : mask;
        }
        case "mod":
          return right === undefined || right <= 0n || expr.signed ? undefined : right - 1n;
        case "shr":
        case "ushr":
          if (right === undefined || expr.signed) return undefined;
          return ((1n << 64n) - 1n) >> (right & 63n);
        case "div": {
          const left = upperBound(l, expr.left);
          return right === undefined || right <= 0n || left === undefined || expr.signed ? undefined : left / right;
        }
        case "add":
        case "mul": {
          const left = upperBound(l, expr.left);
          const other = left === undefined ? undefined : upperBound(l, expr.right);
          if (left === undefined || other === undefined) return undefined;
          const most = expr.binary === "add" ? left + other : left * other;
          return most <= largest(expr) ? most : undefined;
        }
        case "shl": {
          const left = upperBound(l, expr.left);
          if (left === undefined || right === undefined || right < 0n || right > 63n) return undefined;
          const most = left << right;
          return most <= largest(expr) ? most : undefined;
        }
        default:
          return undefined;
      }
    }
    case "helper": {
      if (expr.name !== "min") return undefined;
      const bounds = expr.args.map((arg) => upperBound(l, arg));
      const known = bounds.filter((each) => each !== undefined);
      // The least of numbers with a sign may be one below 0, which is above all as one without.
      const mayBeNegative = expr.type.kind === "int" && expr.type.signed && known.length < bounds.length;
      return known.length === 0 || mayBeNegative ? undefined : known.reduce(smaller);
    }
    case "convert":
    case "fit":
      return expr.type.kind === "int" && !expr.type.signed ? upperBound(l, expr.value) : undefined;
    case "conditional": {
      const then = upperBound(l, expr.then);
      const otherwise = upperBound(l, expr.else);
      if (then === undefined || otherwise === undefined) return undefined;
      return then === smaller(then, otherwise) ? otherwise : then;
    }
    default:
      return undefined;
  }
}

/** The greatest number that something may be; none where it is no number. */
function largest({ type }: Pick<Expr | Local, "type">): bigint {
  return type.kind === "int" ? greatestOf(type) : -1n;
}

/** The least one. */
function smallest({ type }: Pick<Expr | Local, "type">): bigint {
  return type.kind === "int" ? leastOf(type) : 0n;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function larger(a: bigint, b: bigint): bigint {
  return a < b ? b : a;
}

type LoopStmt = Extract<Stmt, { readonly op: "loop" }>;

/** How often a `for` that counts turns at most, before anything of it is done; undefined where it does not count. */
export function turnsOf(l: Lowering, stmt: LoopStmt): Turns | undefined {
  if (stmt.test === undefined) return undefined;
  const stepped = stepOf(stmt);
  if (stepped === undefined) return undefined;
  const { local, step } = stepped;
  const start = l.has(local) ? constantOf(l, { op: "local", local, type: local.type, span: stmt.span }) : undefined;
  const { assigned } = usesIn(l.unit, stmt);
  let best: Turns | undefined;
  for (const [test, alone] of conjuncts(stmt.test)) {
    const turns = countedBy(l, test, stepped, assigned);
    if (turns === undefined) continue;
    const most = stmt.testLast ? Math.max(1, turns.most) : turns.most;
    if (best === undefined || most < best.most)
      best = {
        most,
        exact: turns.exact && alone && !stmt.testLast,
        ...(start !== undefined && { counter: { local, start, step } }),
      };
  }
  return best;
}

function conjuncts(test: Expr): [Expr, alone: boolean][] {
  if (test.op !== "and") return [[test, true]];
  return [...conjuncts(test.left), ...conjuncts(test.right)].map(([each]) => [each, false]);
}

/** The local that each turn changes by the same number, and nothing else changes. */
interface Stepped {
  readonly local: Local;
  readonly step: bigint;
  /** The numbers between which it changes by the step; outside of them it starts over at the other end. */
  readonly least: bigint;
  readonly most: bigint;
  /** In how many parts it takes the step. */
  readonly changes: number;
}

function stepOf({ body, update }: LoopStmt): Stepped | undefined {
  const candidates = new Map<Local, Stepped>();
  for (const stmt of update) {
    if (stmt.op !== "assign") continue;
    const sum = stripped(stmt.value);
    if (sum.op !== "binary" || (sum.binary !== "add" && sum.binary !== "sub")) continue;
    const left = stripped(sum.left);
    const right = stripped(sum.right);
    if (left.op !== "local" || left.local !== stmt.local || right.op !== "number" || right.value === 0n) continue;
    const before = candidates.get(stmt.local);
    const step = sum.binary === "add" ? right.value : -right.value;
    // There and back again it may start over on its way.
    if (before !== undefined && before.step > 0n !== step > 0n) continue;
    const passes = [stmt.local, ...layers(stmt.value), sum, ...layers(sum.left)];
    candidates.set(stmt.local, {
      local: stmt.local,
      step: step + (before?.step ?? 0n),
      least: passes.map(smallest).reduce(larger, before?.least ?? -(1n << 63n)),
      most: passes.map(largest).reduce(smaller, before?.most ?? 1n << 64n),
      changes: (before?.changes ?? 0) + 1,
    });
  }
  // In the body and behind it: those that were counted must be all.
  const changes = new Map<Local, number>();
  walkStmts([...body, ...update], {
    stmt: (stmt) => void (stmt.op === "assign" && changes.set(stmt.local, (changes.get(stmt.local) ?? 0) + 1)),
  });
  for (const [local, stepped] of candidates) if (changes.get(local) === stepped.changes) return stepped;
  return undefined;
}

function stripped(expr: Expr): Expr {
  return expr.op === "convert" || expr.op === "fit" ? stripped(expr.value) : expr;
}

/** What `stripped` takes off. */
function layers(expr: Expr): Expr[] {
  return expr.op === "convert" || expr.op === "fit" ? [expr, ...layers(expr.value)] : [];
}

/** The test is asked in each turn anew: what it says before the first holds for all only where the loop does not change it. */
function isFixed(expr: Expr, assigned: ReadonlySet<Local>): boolean {
  let fixed = true;
  walkExpr(expr, {
    expr: (each) => {
      if (each.op === "local" && assigned.has(each.local)) fixed = false;
    },
  });
  return fixed;
}

function countedBy(
  l: Lowering,
  test: Expr,
  { local, step, least, most: greatest }: Stepped,
  assigned: ReadonlySet<Local>,
): Turns | undefined {
  if (test.op !== "compare") return undefined;
  const onLeft = test.left.op === "local" && test.left.local === local;
  const other = onLeft ? test.right : test.left;
  const counter = onLeft ? test.left : test.right;
  if (counter.op !== "local" || counter.local !== local || !isFixed(other, assigned)) return undefined;
  const compare = onLeft ? test.compare : FLIPPED[test.compare];
  const start = constantOf(l, counter);
  const limit = constantOf(l, other);
  // Without a sign a number below 0 is a large one.
  if (!test.signed && ((start ?? 0n) < 0n || (limit ?? 0n) < 0n)) return undefined;
  if (step > 0n) {
    const most = limit ?? upperBound(l, other);
    const from = start ?? (test.signed ? undefined : 0n);
    if (most === undefined || from === undefined) return undefined;
    const exact = limit !== undefined && start !== undefined;
    // The last number of all, which ends the loop, must be one: otherwise it starts over.
    const reaches = (last: bigint) => last <= greatest;
    if (compare === "lt") return reaches(most - 1n + step) ? turns(most - from, step, exact) : undefined;
    if (compare === "le") return reaches(most + step) ? turns(most - from + 1n, step, exact) : undefined;
    if (compare === "ne" && exact && (most - from) % step === 0n && most >= from && reaches(most))
      return turns(most - from, step, true);
    return undefined;
  }
  const from = start ?? upperBound(l, counter);
  if (from === undefined || limit === undefined) return undefined;
  if (compare === "gt" || compare === "ge") {
    const lastInside = compare === "gt" ? limit + 1n : limit;
    const counted = turns(from - lastInside + 1n, -step, start !== undefined);
    const last = start === undefined ? lastInside + step : start + step * BigInt(counted.most);
    return last < least || (!test.signed && last < 0n) ? undefined : counted;
  }
  if (compare === "ne" && start !== undefined && (from - limit) % step === 0n && from >= limit && limit >= least)
    return turns(from - limit, -step, true);
  return undefined;
}

const FLIPPED = { eq: "eq", ne: "ne", lt: "gt", le: "ge", gt: "lt", ge: "le" } as const;

function turns(distance: bigint, step: bigint, exact: boolean): Turns {
  const most = distance <= 0n ? 0n : (distance + step - 1n) / step;
  return { most: Number(most), exact };
}
