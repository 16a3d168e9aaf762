import type { Expr } from "../hir.ts";
import { isAggregate, sizeOf, type Type } from "../type.ts";
import { addressOrNumber, binary, compare, cut } from "./evaluate-arithmetic.ts";
import { helperResult } from "./evaluate-helpers.ts";
import { mapResult } from "./evaluate-maps.ts";
import { bytesAt, cloned, copy, endText, fresh, moved, placeOf, readAt, unwrapped } from "./evaluate-places.ts";
import { EvaluationError, i64, type Memory, store, u64 } from "./evaluate-state.ts";
import { callFunction } from "./evaluate-statements.ts";
import type { Evaluation, Value } from "./evaluation.ts";

/** A number; booleans are 0 and 1. */
export function numberOf(e: Evaluation, expr: Expr): bigint {
  const value = resultOf(e, expr);
  if (typeof value === "bigint") return value;
  throw new EvaluationError(`\`${expr.op}\` gives no number`);
}

export function truthOf(e: Evaluation, expr: Expr): boolean {
  return numberOf(e, expr) !== 0n;
}

/** An aggregate. */
export function memoryOf(e: Evaluation, expr: Expr): Memory {
  const value = resultOf(e, expr);
  if (typeof value === "object") return value;
  throw new EvaluationError(`\`${expr.op}\` gives nothing in memory`);
}

export function resultOf(e: Evaluation, expr: Expr): Value {
  switch (expr.op) {
    case "number":
      return u64(expr.value);
    case "boolean":
      return expr.value ? 1n : 0n;
    case "string": {
      const memory = fresh(expr.type);
      memory.bytes.set(expr.bytes.subarray(0, memory.bytes.length));
      return memory;
    }
    case "undefined":
      return undefined;
    case "local":
      return e.locals.get(expr.local);
    case "read": {
      const at = placeOf(e, expr.place);
      const { type } = expr.place;
      if (!isAggregate(type)) return readAt(e, expr.place, at);
      const got = cloned(bytesAt(e, at, type), type);
      if (type.kind === "str" && expr.place.base.kind === "context") endText(got.bytes);
      return got;
    }
    case "address":
      return placeOf(e, expr.place);
    case "negate":
      return u64(-numberOf(e, expr.value));
    case "invert":
      return u64(~numberOf(e, expr.value));
    case "not":
      return truthOf(e, expr.value) ? 0n : 1n;
    case "binary": {
      const left = numberOf(e, expr.left);
      return binary(expr.binary, expr.signed, left, numberOf(e, expr.right));
    }
    case "compare": {
      const left = addressOrNumber(resultOf(e, expr.left));
      const right = addressOrNumber(resultOf(e, expr.right));
      return compare(expr.compare, expr.signed ? i64(left) : left, expr.signed ? i64(right) : right) ? 1n : 0n;
    }
    case "compareText": {
      const equal = sameText(textOf(e, expr.left), textOf(e, expr.right));
      return equal === (expr.compare === "eq") ? 1n : 0n;
    }
    case "startsWith": {
      const text = textOf(e, expr.text);
      return expr.prefix.every((byte, i) => text[i] === byte) ? 1n : 0n;
    }
    case "textLength":
      return BigInt(textOf(e, expr.text).length);
    case "and":
      return truthOf(e, expr.left) && truthOf(e, expr.right) ? 1n : 0n;
    case "or":
      return truthOf(e, expr.left) || truthOf(e, expr.right) ? 1n : 0n;
    case "conditional":
      return truthOf(e, expr.test) ? resultOf(e, expr.then) : resultOf(e, expr.else);
    case "isPresent":
      return resultOf(e, expr.value) === undefined ? 0n : 1n;
    case "unwrap": {
      const value = resultOf(e, expr.value);
      if (value === undefined) throw new EvaluationError("what is not there was taken for something");
      return value;
    }
    case "wrap":
      return resultOf(e, expr.value);
    case "coalesce":
      return resultOf(e, expr.value) ?? resultOf(e, expr.fallback);
    case "chain": {
      const value = resultOf(e, expr.value);
      if (value === undefined) return undefined;
      e.locals.set(expr.bound, value);
      return resultOf(e, expr.then);
    }
    case "convert": {
      const value = addressOrNumber(resultOf(e, expr.value));
      return expr.type.kind === "bool" ? (value === 0n ? 0n : 1n) : cut(value, expr.type);
    }
    case "fit": {
      const value = numberOf(e, expr.value);
      if (cut(value, expr.type) !== value && expr.type.bits < 64)
        throw new EvaluationError(`${i64(value)} does not fit ${expr.what}`);
      return value;
    }
    case "object": {
      const memory = fresh(expr.type);
      for (const { offset, type, value } of expr.fields) putAt(e, moved(memory, BigInt(offset)), type, value);
      return memory;
    }
    case "elements": {
      const { type } = expr;
      const memory = fresh(type);
      const element: Type = type.kind === "array" ? type.element : { kind: "int", bits: 8, signed: false };
      for (const [i, each] of expr.values.entries())
        putAt(e, moved(memory, BigInt(i * sizeOf(element))), element, each);
      return memory;
    }
    case "helper":
      return helperResult(e, expr);
    case "call":
      return callFunction(
        e,
        expr.callee,
        expr.args.map((arg, i) => {
          const value = resultOf(e, arg);
          const type = expr.callee.params[i]?.type;
          if (type === undefined || !isAggregate(type)) return value;
          const memory = fresh(type);
          copy(memory, type, value as Memory, unwrapped(arg.type));
          return memory;
        }),
      );
    default:
      return mapResult(e, expr);
  }
}

/** Evaluates into memory. */
export function putAt(e: Evaluation, at: Memory, type: Type, expr: Expr): void {
  if (isAggregate(type)) copy(at, type, memoryOf(e, expr), unwrapped(expr.type));
  else store(at, type, addressOrNumber(resultOf(e, expr)));
}

/** A text's characters, without the NUL; of bytes all. */
function textOf(e: Evaluation, expr: Expr): Uint8Array {
  if (expr.op === "string") return expr.bytes;
  const { bytes, at } = memoryOf(e, expr);
  const type = unwrapped(expr.type);
  const all = bytes.subarray(at, at + sizeOf(type));
  const end = type.kind === "str" ? all.indexOf(0) : -1;
  return end < 0 ? all.slice() : all.slice(0, end);
}

function sameText(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
