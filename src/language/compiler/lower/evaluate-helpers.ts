import type { Expr } from "../hir.ts";
import { isAggregate, sizeOf } from "../type.ts";
import { addressOrNumber } from "./evaluate-arithmetic.ts";
import { memoryOf, resultOf } from "./evaluate-expressions.ts";
import { copy, foreignText, fresh, unwrapped } from "./evaluate-places.ts";
import { EvaluationError, i64, load, u64 } from "./evaluate-state.ts";
import type { Evaluation, Value } from "./evaluation.ts";

export function ask(e: Evaluation, name: string, args: readonly bigint[]): bigint {
  const helper = e.world.helpers?.[name];
  if (helper === undefined) throw new EvaluationError(`the world has no ${name}()`);
  return u64(helper(args));
}

export function helperResult(e: Evaluation, expr: Extract<Expr, { readonly op: "helper" }>): Value {
  const { name } = expr;
  const type = unwrapped(expr.type);
  const optional = expr.type.kind === "optional";
  const args = expr.args.map((arg) => addressOrNumber(resultOf(e, arg)));
  const [a = 0n] = args;
  const signed = type.kind === "int" && type.signed;
  switch (name) {
    case "comm": {
      const memory = fresh(type);
      const text = new TextEncoder().encode(e.world.comm ?? "").subarray(0, Math.min(15, sizeOf(type) - 1));
      memory.bytes.set(text);
      return memory;
    }
    case "zeros":
      return fresh(type);
    case "userStr":
    case "kernelStr": {
      const [text] = expr.args;
      if (text?.op === "read" && text.type.kind === "str") {
        // An array of the kernel's that holds the text itself, not its address.
        const memory = fresh(type);
        copy(memory, type, memoryOf(e, text), text.type);
        return memory;
      }
      return { bytes: foreignText(e, name === "userStr" ? "user" : "kernel", a, sizeOf(type)), at: 0 };
    }
    case "dataLocStr": {
      const memory = fresh(type);
      const from = (e.world.context ?? new Uint8Array(0)).subarray(Number(a & 0xffffn));
      const end = from.indexOf(0);
      memory.bytes.set(from.subarray(0, Math.min(end < 0 ? from.length : end, sizeOf(type) - 1)));
      return memory;
    }
    case "readUser":
    case "readKernel": {
      const space = name === "readUser" ? "user" : "kernel";
      const got = e.world.read?.(space, a, sizeOf(type));
      if (got === undefined && optional) return undefined;
      const memory = { bytes: got ?? new Uint8Array(sizeOf(type)), at: 0 };
      return isAggregate(type) ? memory : load(memory, type);
    }
    case "ntohs":
    case "htons":
      return swapped(a, 2);
    case "ntohl":
    case "htonl":
      return swapped(a, 4);
    case "ntohll":
    case "htonll":
      return swapped(a, 8);
    case "min":
    case "max": {
      const order = (value: bigint) => (signed ? i64(value) : value);
      return args.reduce((best, each) => {
        const better = name === "min" ? order(each) < order(best) : order(each) > order(best);
        return better ? each : best;
      });
    }
    case "abs":
      return i64(a) < 0n ? u64(-a) : a;
    case "clz32":
      return BigInt(Math.clz32(Number(a & 0xffffffffn)));
    case "log2":
      return a === 0n ? 0n : BigInt(a.toString(2).length - 1);
    default:
      return ask(e, name, args);
  }
}

function swapped(value: bigint, size: number): bigint {
  let out = 0n;
  for (let i = 0n; i < BigInt(size); i++) out |= ((value >> (8n * i)) & 0xffn) << (8n * (BigInt(size) - 1n - i));
  return out;
}
