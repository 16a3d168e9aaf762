import type { FunctionDecl, Loop, Place, Stmt } from "../hir.ts";
import { isAggregate, sizeOf, type Type } from "../type.ts";
import { binary } from "./evaluate-arithmetic.ts";
import { memoryOf, numberOf, resultOf, truthOf } from "./evaluate-expressions.ts";
import { mapOf } from "./evaluate-maps.ts";
import { bytesAt, cloned, copy, fresh, moved, own, placeOf, readAt, unwrapped, writeAt } from "./evaluate-places.ts";
import { EvaluationError, load, u64, unhex } from "./evaluate-state.ts";
import type { Evaluation, Value } from "./evaluation.ts";

/** How statements end: on to the next, or out. */
type End =
  | { readonly op: "break" | "continue"; readonly loop: Loop }
  | { readonly op: "return"; readonly value: Value }
  | undefined;

/** What the kernel lets no loop go beyond. */
const MOST_TURNS = 8_388_608n;
/** Turns of a loop without a bound of its own, before the evaluation is given up. */
const PATIENCE = 10_000_000;

export function callFunction(e: Evaluation, decl: FunctionDecl, args: readonly Value[]): Value {
  for (const [i, param] of decl.params.entries()) if (decl.program === undefined) e.locals.set(param, args[i]);
  const end = runBody(e, decl.body);
  if (end?.op === "return" && end.value !== undefined) return end.value;
  if (isAggregate(decl.result)) return fresh(decl.result);
  return decl.result.kind === "optional" ? undefined : 0n;
}

function runBody(e: Evaluation, body: readonly Stmt[]): End {
  for (const stmt of body) {
    const end = runStmt(e, stmt);
    if (end !== undefined) return end;
  }
  return undefined;
}

function runStmt(e: Evaluation, stmt: Stmt): End {
  switch (stmt.op) {
    case "let": {
      const { local, init } = stmt;
      if (isAggregate(local.type)) {
        const memory = fresh(local.type);
        if (init !== undefined) copy(memory, local.type, memoryOf(e, init), unwrapped(init.type));
        e.locals.set(local, memory);
      } else
        e.locals.set(local, init === undefined ? (local.type.kind === "optional" ? undefined : 0n) : resultOf(e, init));
      return undefined;
    }
    case "assign":
      e.locals.set(stmt.local, resultOf(e, stmt.value));
      return undefined;
    case "store": {
      const at = placeOf(e, stmt.place);
      const { type } = stmt.place;
      if (isAggregate(type)) {
        const from = memoryOf(e, stmt.value);
        copy(own(at), type, from, unwrapped(stmt.value.type));
      } else writeAt(stmt.place, own(at), numberOf(e, stmt.value));
      return undefined;
    }
    case "update": {
      const at = own(placeOf(e, stmt.place));
      const { type } = stmt.place;
      const old = readAt(e, stmt.place, at);
      const by = numberOf(e, stmt.value);
      writeAt(stmt.place, at, binary(stmt.binary, type.kind === "int" && type.signed, old as bigint, by));
      return undefined;
    }
    case "expr":
      resultOf(e, stmt.value);
      return undefined;
    case "if":
      return truthOf(e, stmt.test) ? runBody(e, stmt.then) : runBody(e, stmt.else);
    case "switch":
      return runSwitch(e, stmt);
    case "loop":
      return runLoop(e, stmt);
    case "range": {
      const start = numberOf(e, stmt.start);
      const end = numberOf(e, stmt.end);
      let count = end > start ? end - start : 0n;
      const most = stmt.atMost === undefined ? MOST_TURNS : BigInt(stmt.atMost);
      if (count > most) count = most;
      for (let i = 0n; i < count; i++) {
        e.locals.set(stmt.local, u64(start + i));
        const end = runTurn(e, stmt.loop, stmt.body);
        if (end === "break") break;
        if (end !== undefined) return end;
      }
      return undefined;
    }
    case "each": {
      const { type } = stmt.of;
      const element: Type = type.kind === "array" ? type.element : { kind: "int", bits: 8, signed: false };
      const length = type.kind === "array" ? type.length : sizeOf(type);
      const at = placeOf(e, stmt.of);
      for (let i = 0; i < length; i++) {
        const here = moved(at, BigInt(i * sizeOf(element)));
        if (isAggregate(element)) {
          const memory = bytesAt(e, here, element);
          e.locals.set(stmt.local, stmt.local.type.kind === "reference" ? memory : cloned(memory, element));
        } else
          e.locals.set(stmt.local, readAt(e, { ...stmt.of, type: element, bits: undefined } as unknown as Place, here));
        const end = runTurn(e, stmt.loop, stmt.body);
        if (end === "break") break;
        if (end !== undefined) return end;
      }
      return undefined;
    }
    case "entries": {
      const map = mapOf(e, stmt.map);
      const keyType: Type = stmt.map.key ?? { kind: "int", bits: 32, signed: false };
      for (const [text, bytes] of [...map.elements]) {
        if (stmt.key !== undefined) {
          const memory = { bytes: unhex(text), at: 0 };
          e.locals.set(stmt.key, isInMemory(stmt.key.type) ? memory : load(memory, keyType));
        }
        if (stmt.value !== undefined) {
          const memory = { bytes, at: 0 };
          const { type } = stmt.value;
          e.locals.set(stmt.value, isInMemory(type) ? memory : load(memory, type));
        }
        const end = runTurn(e, stmt.loop, stmt.body);
        if (end === "break") break;
        if (end !== undefined) return end;
      }
      return undefined;
    }
    case "break":
    case "continue":
      return { op: stmt.op, loop: stmt.loop };
    case "return":
      return { op: "return", value: stmt.value === undefined ? undefined : resultOf(e, stmt.value) };
    case "block":
      return runBody(e, stmt.body);
  }
}

/** A loop's body once: undefined to go on. */
function runTurn(e: Evaluation, loop: Loop, body: readonly Stmt[]): "break" | End {
  const end = runBody(e, body);
  if (end === undefined || end.op === "return" || end.loop !== loop) return end;
  return end.op === "break" ? "break" : undefined;
}

function runLoop(
  e: Evaluation,
  { loop, test, testLast, body, update, atMost }: Extract<Stmt, { readonly op: "loop" }>,
): End {
  const most = atMost ?? PATIENCE;
  for (let turn = 0; turn < most; turn++) {
    if (!testLast && test !== undefined && !truthOf(e, test)) return undefined;
    const end = runTurn(e, loop, body);
    if (end === "break") return undefined;
    if (end !== undefined) return end;
    const after = runBody(e, update);
    if (after !== undefined) return after;
    if (testLast && test !== undefined && !truthOf(e, test)) return undefined;
  }
  if (atMost === undefined) throw new EvaluationError("a loop does not end");
  return undefined;
}

function runSwitch(e: Evaluation, { value, cases, defaultCase, loop }: Extract<Stmt, { readonly op: "switch" }>): End {
  const given = numberOf(e, value);
  let at = cases.findIndex(({ values }) => values.some((each) => u64(each) === given));
  if (at < 0) at = defaultCase;
  if (at < 0) return undefined;
  for (const { body } of cases.slice(at)) {
    const end = runBody(e, body);
    if (end === undefined) continue;
    return end.op === "break" && end.loop === loop ? undefined : end;
  }
  return undefined;
}

/** Whether names of the type are for what stands somewhere. */
function isInMemory(type: Type): boolean {
  return type.kind === "reference" || type.kind === "cell" || isAggregate(type);
}
