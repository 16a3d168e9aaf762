import type { Expr, FunctionDecl, Local, Loop, Place, Stmt } from "../hir.ts";

/** What is called for each part of a piece of the program, from outside in. */
interface Visitor {
  readonly expr?: (expr: Expr) => void;
  readonly stmt?: (stmt: Stmt) => void;
  readonly place?: (place: Place) => void;
}

export function walkStmts(body: readonly Stmt[], v: Visitor): void {
  for (const stmt of body) walkStmt(stmt, v);
}

function walkStmt(stmt: Stmt, v: Visitor): void {
  v.stmt?.(stmt);
  switch (stmt.op) {
    case "let":
      if (stmt.init !== undefined) walkExpr(stmt.init, v);
      return;
    case "assign":
    case "expr":
      walkExpr(stmt.value, v);
      return;
    case "store":
    case "update":
      walkPlace(stmt.place, v);
      walkExpr(stmt.value, v);
      return;
    case "if":
      walkExpr(stmt.test, v);
      walkStmts(stmt.then, v);
      walkStmts(stmt.else, v);
      return;
    case "switch":
      walkExpr(stmt.value, v);
      for (const { body } of stmt.cases) walkStmts(body, v);
      return;
    case "loop":
      if (stmt.test !== undefined) walkExpr(stmt.test, v);
      walkStmts(stmt.body, v);
      walkStmts(stmt.update, v);
      return;
    case "range":
      walkExpr(stmt.start, v);
      walkExpr(stmt.end, v);
      walkStmts(stmt.body, v);
      return;
    case "each":
      walkPlace(stmt.of, v);
      walkStmts(stmt.body, v);
      return;
    case "entries":
    case "block":
      walkStmts(stmt.body, v);
      return;
    case "return":
      if (stmt.value !== undefined) walkExpr(stmt.value, v);
      return;
    case "break":
    case "continue":
  }
}

function walkPlace(place: Place, v: Visitor): void {
  v.place?.(place);
  if (place.base.kind === "pointer") walkExpr(place.base.pointer, v);
  if (place.base.kind === "temporary") walkExpr(place.base.value, v);
  for (const { index } of place.indices) walkExpr(index, v);
}

export function walkExpr(expr: Expr, v: Visitor): void {
  v.expr?.(expr);
  switch (expr.op) {
    case "read":
    case "address":
      walkPlace(expr.place, v);
      return;
    case "chain":
      walkExpr(expr.value, v);
      walkExpr(expr.then, v);
      return;
    case "coalesce":
      walkExpr(expr.value, v);
      walkExpr(expr.fallback, v);
      return;
    case "negate":
    case "invert":
    case "not":
    case "isPresent":
    case "unwrap":
    case "wrap":
    case "convert":
    case "fit":
      walkExpr(expr.value, v);
      return;
    case "binary":
    case "compare":
    case "compareText":
    case "and":
    case "or":
      walkExpr(expr.left, v);
      walkExpr(expr.right, v);
      return;
    case "startsWith":
    case "textLength":
      walkExpr(expr.text, v);
      return;
    case "conditional":
      walkExpr(expr.test, v);
      walkExpr(expr.then, v);
      walkExpr(expr.else, v);
      return;
    case "object":
      for (const { value } of expr.fields) walkExpr(value, v);
      return;
    case "elements":
      for (const value of expr.values) walkExpr(value, v);
      return;
    case "helper":
    case "call":
      for (const arg of expr.args) walkExpr(arg, v);
      return;
    case "mapGet":
    case "mapRef":
    case "mapHas":
    case "mapDelete":
      walkExpr(expr.key, v);
      return;
    case "mapSet":
      walkExpr(expr.key, v);
      walkExpr(expr.value, v);
      return;
    case "mapGetOrInsert":
      walkExpr(expr.key, v);
      if (expr.initial !== undefined) walkExpr(expr.initial, v);
      return;
    case "mapRecord":
      if (expr.key !== undefined) walkExpr(expr.key, v);
      walkExpr(expr.value, v);
      return;
    case "ringEmit":
    case "print":
      walkExpr(expr.value, v);
      return;
    case "ringOutput":
      walkPlace(expr.place, v);
      if (expr.length !== undefined) walkExpr(expr.length, v);
      return;
    case "readInto":
      walkPlace(expr.place, v);
      walkExpr(expr.address, v);
      if (expr.length !== undefined) walkExpr(expr.length, v);
      return;
    case "tailCall":
    case "taskUnder":
      walkExpr(expr.index, v);
      return;
    case "ringSubmit":
    case "ringDiscard":
      walkExpr(expr.slot, v);
      return;
    case "cellAdd":
    case "cellExchange":
      walkExpr(expr.cell, v);
      walkExpr(expr.value, v);
      return;
    case "cellCompareExchange":
      walkExpr(expr.cell, v);
      walkExpr(expr.old, v);
      walkExpr(expr.value, v);
      return;
    case "storageGet":
    case "storageDelete":
      walkExpr(expr.object, v);
      return;
    case "number":
    case "boolean":
    case "string":
    case "undefined":
    case "local":
    case "ringReserve":
    case "stackId":
    case "packetLength":
      return;
    case "packetAt":
      walkExpr(expr.offset, v);
  }
}

/** What a piece of the program takes from around it. */
export interface Uses {
  /** Locals it names, in the order they appear. */
  readonly locals: ReadonlySet<Local>;
  /** Those of them it assigns to. */
  readonly assigned: ReadonlySet<Local>;
  /** Those it declares itself. */
  readonly declared: ReadonlySet<Local>;
  /** Loops that begin in it. */
  readonly loops: ReadonlySet<Loop>;
  readonly context: boolean;
  /** Takes, submits or discards records of rings by hand. */
  readonly records: boolean;
  /** About how many instructions it becomes. */
  readonly cost: number;
}

/** Helpers that take the context. */
const WITH_CONTEXT: ReadonlySet<string> = new Set(["funcIp", "cookie", "dataLocStr", "usdtArgument"]);

/** What a body uses; `ofCallee` answers for the functions it calls, which may be put in place. */
export function usesOf(body: readonly Stmt[], ofCallee: (callee: FunctionDecl) => Uses): Uses {
  const locals = new Set<Local>();
  const assigned = new Set<Local>();
  const declared = new Set<Local>();
  const loops = new Set<Loop>();
  let context = false;
  let records = false;
  let cost = 0;
  walkStmts(body, {
    stmt: (stmt) => {
      cost++;
      switch (stmt.op) {
        case "let":
          declared.add(stmt.local);
          break;
        case "assign":
          locals.add(stmt.local);
          assigned.add(stmt.local);
          break;
        case "switch":
          loops.add(stmt.loop);
          break;
        case "loop":
          loops.add(stmt.loop);
          cost += 4;
          break;
        case "range":
        case "each":
          loops.add(stmt.loop);
          declared.add(stmt.local);
          cost += 6;
          break;
        case "entries":
          loops.add(stmt.loop);
          if (stmt.key !== undefined) declared.add(stmt.key);
          if (stmt.value !== undefined) declared.add(stmt.value);
          cost += 10;
          break;
        default:
      }
    },
    place: ({ base }) => {
      if (base.kind === "local") locals.add(base.local);
      if (base.kind === "context") context = true;
    },
    expr: (expr) => {
      cost += 1;
      switch (expr.op) {
        case "local":
          locals.add(expr.local);
          break;
        case "chain":
          declared.add(expr.bound);
          break;
        case "ringReserve":
        case "ringSubmit":
        case "ringDiscard":
          records = true;
          cost += 4;
          break;
        case "stackId":
        case "tailCall":
          context = true;
          cost += 4;
          break;
        case "helper":
          if (WITH_CONTEXT.has(expr.name)) context = true;
          cost += 3;
          break;
        case "mapGet":
        case "mapRef":
        case "mapHas":
        case "mapDelete":
        case "storageGet":
        case "storageDelete":
        case "readInto":
        case "taskUnder":
          cost += 5;
          break;
        case "mapSet":
        case "mapGetOrInsert":
        case "mapRecord":
        case "ringEmit":
        case "ringOutput":
        case "print":
          cost += 15;
          break;
        case "call": {
          const inner = ofCallee(expr.callee);
          context ||= inner.context;
          records ||= inner.records;
          cost += Math.min(inner.cost, 40);
          break;
        }
        default:
      }
    },
  });
  return { locals, assigned, declared, loops, context, records, cost };
}

/** Whether evaluating it changes anything, or gives something else when it is done later. */
export function hasEffects(expr: Expr): boolean {
  let found = false;
  walkExpr(expr, {
    expr: (each) => {
      if (EFFECTS.has(each.op) || (each.op === "helper" && each.name.startsWith("signal"))) found = true;
    },
  });
  return found;
}

const EFFECTS: ReadonlySet<Expr["op"]> = new Set([
  "call",
  "mapSet",
  "mapGetOrInsert",
  "mapDelete",
  "mapRecord",
  "ringEmit",
  "ringOutput",
  "readInto",
  "tailCall",
  "print",
  "ringReserve",
  "ringSubmit",
  "ringDiscard",
  "cellAdd",
  "cellExchange",
  "cellCompareExchange",
  "storageGet",
  "storageDelete",
]);
