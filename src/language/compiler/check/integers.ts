import type { BinaryName, CompareName, Expr } from "../hir.ts";
import type { IntType, Type } from "../type.ts";
import { BOOL, I64, U64 } from "../type.ts";
import type { FunctionChecker } from "./function-checker.ts";
import type { Placed } from "./report.ts";
import { typeName } from "./type-names.ts";

const PLAIN_U64: IntType = { ...U64, plain: true };
const PLAIN_I64: IntType = { ...I64, plain: true };

/** What arithmetic gives: 64 bits. */
export function plain(signed: boolean): IntType {
  return signed ? PLAIN_I64 : PLAIN_U64;
}

/** An integer that is written, or known while compiling. */
export function number(value: bigint, span: Expr["span"]): Expr {
  return { op: "number", value, type: plain(value < 0n), span };
}

/** Whether every value of one integer type is one of the other. */
export function holds(to: IntType, from: IntType): boolean {
  if (to.signed === from.signed) return to.bits >= from.bits;
  return to.signed && to.bits > from.bits;
}

/** Whether the number is one of the type. */
export function inRange(value: bigint, type: IntType): boolean {
  const bits = BigInt(type.bits);
  return type.signed ? value >= -(1n << (bits - 1n)) && value < 1n << (bits - 1n) : value >= 0n && value < 1n << bits;
}

/** Whether tsc sees the values as numbers: addresses of what has no type. */
export function isAddress(type: Type): boolean {
  return type.kind === "userPointer" || (type.kind === "kernelPointer" && type.name === "");
}

/** An expression as an integer for arithmetic: addresses that tsc sees as numbers are. */
export function asInteger(fc: FunctionChecker, value: Expr, node: Placed): Expr & { readonly type: IntType } {
  const { type } = value;
  if (type.kind === "int") return value as Expr & { readonly type: IntType };
  if (isAddress(type)) return { op: "convert", value, type: U64, span: value.span };
  return fc.fail("TS2362", node, `Arithmetic wants integers; \`${fc.text(node)}\` is ${typeName(type)}.`, {
    ...(type.kind === "kernelPointer" && { help: "Read a field of it, or convert the address: `u64(x)`." }),
    ...(type.kind === "bool" && { help: "Convert it: `u32(x)` is 0 or 1." }),
  });
}

/** Whether two integers are signed when they meet; undefined when one is u64 and the other signed: no type holds both. */
export function commonSign(
  left: Expr & { readonly type: IntType },
  right: Expr & { readonly type: IntType },
): boolean | undefined {
  if (left.type.signed === right.type.signed) return left.type.signed;
  const [signed, unsigned] = left.type.signed ? [left, right] : [right, left];
  // A number that is written adapts to the other side.
  if (unsigned.op === "number" && inRange(unsigned.value, I64)) return true;
  if (signed.op === "number" && signed.value >= 0n) return false;
  return unsigned.type.bits < 64 ? true : undefined;
}

/** `left op right`. */
export function binary(
  fc: FunctionChecker,
  op: BinaryName,
  l: Expr,
  r: Expr,
  node: Placed,
  sides: readonly [Placed, Placed],
): Expr {
  const left = asInteger(fc, l, sides[0]);
  const right = asInteger(fc, r, sides[1]);
  const span = fc.span(node);
  if (op === "shl" || op === "shr" || op === "ushr") {
    if (right.op === "number" && (right.value < 0n || right.value > 63n))
      fc.fail("EB2208", sides[1], `A shift by ${right.value} is none: integers have 64 bits here.`);
    const signed = op === "ushr" ? false : left.type.signed;
    return { op: "binary", binary: op, signed: op === "shr" && signed, left, right, type: plain(signed), span };
  }
  if ((op === "div" || op === "mod") && right.op === "number" && right.value === 0n)
    fc.fail("EB2201", sides[1], `This ${op === "div" ? "divides by 0" : "is a remainder of a division by 0"}.`);
  const common = commonSign(left, right);
  if (common === undefined && (op === "div" || op === "mod")) mixed(fc, left, right, node, sides);
  const masked = op === "and" && [left, right].some((side) => side.op === "number" && side.value >= 0n);
  const signed = masked ? false : (common ?? true);
  return { op: "binary", binary: op, signed, left, right, type: plain(signed), span };
}

/** `left < right` and the like, of integers. */
export function compareIntegers(
  fc: FunctionChecker,
  op: CompareName,
  l: Expr,
  r: Expr,
  node: Placed,
  sides: readonly [Placed, Placed],
): Expr {
  const left = asInteger(fc, l, sides[0]);
  const right = asInteger(fc, r, sides[1]);
  for (const [one, other] of [
    [left, right],
    [right, left],
  ] as const) {
    if (one.op === "number" && one.value < 0n && !other.type.signed && other.op !== "number")
      fc.fail("EB2207", node, `\`${fc.text(node)}\` is decided: ${typeName(other.type)} is never negative.`, {
        why: "Unsigned integers stay unsigned in kernel TypeScript, also when they are subtracted.",
        help: "Convert before: `i64(a) - i64(b)`.",
      });
  }
  if (
    !left.type.signed &&
    right.op === "number" &&
    right.value === 0n &&
    (op === "lt" || op === "ge") &&
    left.op !== "number"
  )
    fc.fail("EB2207", node, `\`${fc.text(node)}\` is decided: ${typeName(left.type)} is never negative.`, {
      help: "Convert before you subtract: `i64(a) - i64(b)`.",
    });
  const common = commonSign(left, right);
  if (common === undefined) return mixed(fc, left, right, node, sides);
  return { op: "compare", compare: op, signed: common, left, right, type: BOOL, span: fc.span(node) };
}

/** Refuses two integers of which no type holds both. */
export function mixed(
  fc: FunctionChecker,
  left: { type: Type },
  right: { type: Type },
  node: Placed,
  sides: readonly [Placed, Placed],
): never {
  const at = (left.type as IntType).signed ? sides[0] : sides[1];
  return fc.fail(
    "EB2203",
    node,
    `\`${fc.text(sides[0])}\` is ${typeName(left.type)} and \`${fc.text(sides[1])}\` is ${typeName(right.type)}: no integer holds both.`,
    { help: `Convert one side: \`u64(${fc.text(at)})\`, or \`i64(…)\` of the other.` },
  );
}
