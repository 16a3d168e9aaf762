import type { Type } from "../type.ts";
import { EvaluationError, i64, u64 } from "./evaluate-state.ts";
import type { Value } from "./evaluation.ts";

/** Memory has no numbers as addresses here; what is there is not 0. */
export function addressOrNumber(value: Value): bigint {
  return typeof value === "bigint" ? value : value === undefined ? 0n : 1n;
}

export function cut(value: bigint, type: Type): bigint {
  if (type.kind !== "int") return value;
  return u64(type.signed ? BigInt.asIntN(type.bits, value) : BigInt.asUintN(type.bits, value));
}

export function compare(how: "eq" | "ne" | "lt" | "le" | "gt" | "ge", a: bigint, b: bigint): boolean {
  switch (how) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "lt":
      return a < b;
    case "le":
      return a <= b;
    case "gt":
      return a > b;
    case "ge":
      return a >= b;
  }
}

/** Arithmetic of 64 bits as the machine has it: x / 0 is 0, x % 0 is x, shifts count modulo 64. */
export function binary(how: string, signed: boolean, left: bigint, right: bigint): bigint {
  const [a, b] = signed ? [i64(left), i64(right)] : [left, right];
  switch (how) {
    case "add":
      return u64(a + b);
    case "sub":
      return u64(a - b);
    case "mul":
      return u64(a * b);
    case "div":
      return b === 0n ? 0n : u64(a / b);
    case "mod":
      return b === 0n ? left : u64(a % b);
    case "and":
      return left & right;
    case "or":
      return left | right;
    case "xor":
      return left ^ right;
    case "shl":
      return u64(left << (right & 63n));
    case "shr":
      return u64(a >> (right & 63n));
    case "ushr":
      return left >> (right & 63n);
    default:
      throw new EvaluationError(`\`${how}\` is not known`);
  }
}
