import type { Expression } from "@oxc-project/types";
import type { CompareName, Expr, Local } from "../hir.ts";
import { BOOL, type Type, U8, U64 } from "../type.ts";
import { absent } from "./assign.ts";
import { exists, isQuestion } from "./exists.ts";
import { expr, isUndefined, value } from "./expressions.ts";
import type { Condition, FunctionChecker } from "./function-checker.ts";
import { compareIntegers, number } from "./integers.ts";
import { contentOf, placeOf, readPlace } from "./places.ts";
import { typeName } from "./type-names.ts";

/** A test, and what it tells about optionals. */
export function condition(fc: FunctionChecker, node: Expression): Condition {
  switch (node.type) {
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return condition(fc, node.expression);
    case "UnaryExpression":
      if (node.operator === "!") {
        const { test, whenTrue, whenFalse, decided } = condition(fc, node.argument);
        const opposite = decided === undefined ? undefined : !decided;
        return { test: not(test, fc.span(node)), whenTrue: whenFalse, whenFalse: whenTrue, decided: opposite };
      }
      break;
    case "LogicalExpression": {
      if (node.operator === "??") break;
      const isAnd = node.operator === "&&";
      const left = condition(fc, node.left);
      // What stands behind a test that the kernel decides may name what is there only when it decides otherwise.
      if (left.decided === !isAnd) {
        fc.cx.aside(() => condition(fc, node.right));
        return left;
      }
      const right = fc.under(fc.facts.with(isAnd ? left.whenTrue : left.whenFalse), () => condition(fc, node.right));
      const test: Expr = {
        op: isAnd ? "and" : "or",
        left: left.test,
        right: right.test,
        type: BOOL,
        span: fc.span(node),
      };
      const notBoolean = left.notBoolean ?? right.notBoolean;
      const both = (a: readonly Local[], b: readonly Local[]) => a.filter((local) => b.includes(local));
      const whenTrue = isAnd ? [...left.whenTrue, ...right.whenTrue] : both(left.whenTrue, right.whenTrue);
      const whenFalse = isAnd ? both(left.whenFalse, right.whenFalse) : [...left.whenFalse, ...right.whenFalse];
      const decided = right.decided === !isAnd || left.decided === isAnd ? right.decided : undefined;
      return { test, whenTrue, whenFalse, notBoolean, decided };
    }
    case "BinaryExpression":
      if (node.operator === "===" || node.operator === "!==") return equality(fc, node);
      break;
    case "CallExpression":
      if (isQuestion(fc, node)) {
        const value = exists(fc, node);
        return {
          test: { op: "boolean", value, type: BOOL, span: fc.span(node) },
          whenTrue: [],
          whenFalse: [],
          decided: value,
        };
      }
      break;
    default:
  }
  const tested = expr(fc, node);
  const found = truth(fc, tested, node);
  return tested.type.kind === "bool" ? found : { ...found, notBoolean: node };
}

export function not(test: Expr, span: Expr["span"]): Expr {
  if (test.op === "not") return test.value;
  return { op: "not", value: test, type: BOOL, span };
}

/** A value as a test: what JavaScript calls true. */
function truth(fc: FunctionChecker, tested: Expr, node: Expression): Condition {
  const { type, span } = tested;
  const nothing = { whenTrue: [], whenFalse: [] };
  switch (type.kind) {
    case "bool":
      return { test: tested, ...nothing };
    case "int":
    case "userPointer":
    case "kernelPointer":
      return { test: nonZero(tested, span), ...nothing };
    case "str":
      return {
        test: {
          op: "compareText",
          compare: "ne",
          left: tested,
          right: { op: "string", bytes: new Uint8Array(), type, span },
          type: BOOL,
          span,
        },
        ...nothing,
      };
    case "optional": {
      if (type.of.kind !== "reference" && type.of.kind !== "cell" && type.of.kind !== "kernelPointer")
        return fc.fail(
          "EB2104",
          node,
          `\`${fc.text(node)}\` is ${typeName(type)}: 0 and absent would be the same here.`,
          {
            help: `Write \`${fc.text(node)} !== undefined\`, or \`(${fc.text(node)} ?? 0) !== 0\`.`,
          },
        );
      return presence(tested, span);
    }
    case "reference":
    case "cell":
    case "struct":
    case "array":
    case "bytes":
      return { test: { op: "boolean", value: true, type: BOOL, span }, ...nothing };
    default:
      return fc.fail("EB2107", node, `\`${fc.text(node)}\` gives nothing that could be tested.`);
  }
}

/** Whether an optional is there. */
function presence(tested: Expr, span: Expr["span"]): Condition {
  const test: Expr = { op: "isPresent", value: tested, type: BOOL, span };
  return { test, whenTrue: tested.op === "local" ? [tested.local] : [], whenFalse: [] };
}

function nonZero(tested: Expr, span: Expr["span"]): Expr {
  const type = tested.type.kind === "int" ? tested.type : U64;
  const zero: Expr = { op: "number", value: 0n, type, span: tested.span };
  return { op: "compare", compare: "ne", signed: false, left: tested, right: zero, type: BOOL, span };
}

/** `===` and `!==`. */
function equality(fc: FunctionChecker, node: Extract<Expression, { type: "BinaryExpression" }>): Condition {
  if (node.left.type === "PrivateIdentifier")
    return fc.fail("EB1001", node, "Private names belong to classes, which the kernel does not have.");
  const isEqual = node.operator === "===";
  const span = fc.span(node);
  const negate = ({ test, whenTrue, whenFalse }: Condition): Condition =>
    isEqual ? { test: not(test, span), whenTrue: whenFalse, whenFalse: whenTrue } : { test, whenTrue, whenFalse };
  for (const [side, other] of [
    [node.left, node.right],
    [node.right, node.left],
  ] as const) {
    if (isUndefined(other)) {
      const tested = expr(fc, side, undefined, { keepOptional: true });
      if (tested.type.kind === "optional") return negate(presence(tested, span));
      // What is known to be there: tsc lets it be compared.
      return negate({ test: { op: "boolean", value: true, type: BOOL, span }, whenTrue: [], whenFalse: [] });
    }
    if (other.type === "Literal" && "value" in other && other.value === null && other.raw === "null") {
      const tested = value(fc, side);
      if (tested.type.kind !== "kernelPointer" && tested.type.kind !== "userPointer")
        return fc.fail("TS2367", node, `\`${fc.text(side)}\` is ${typeName(tested.type)}, which is never null.`);
      return negate({ test: nonZero(tested, span), whenTrue: [], whenFalse: [] });
    }
  }
  const compare: CompareName = isEqual ? "eq" : "ne";
  return { test: equal(fc, node, node.left, node.right, compare), whenTrue: [], whenFalse: [] };
}

function equal(fc: FunctionChecker, node: Expression, l: Expression, r: Expression, compare: "eq" | "ne"): Expr {
  const span = fc.span(node);
  const character = characterOf(fc, l, r) ?? characterOf(fc, r, l);
  if (character !== undefined) return { op: "compare", compare, signed: false, ...character, type: BOOL, span };
  const left = contentOf(expr(fc, l));
  const right = contentOf(expr(fc, r));
  // An optional compared with a value: tsc lets it be; here each side must be there.
  if (left.type.kind === "optional") return absent(fc, left, l);
  if (right.type.kind === "optional") return absent(fc, right, r);
  const kinds: readonly Type["kind"][] = [left.type.kind, right.type.kind];
  if (kinds.every((kind) => kind === "str") || kinds.every((kind) => kind === "bytes")) {
    if (left.op === "string" && right.op === "string")
      return fc.fail("TS2367", node, "Both texts are written here: it is known whether they are equal.");
    const [literal, other] = left.op === "string" ? [left, right] : [right, left];
    if (literal.op === "string" && other.type.kind === "str" && literal.bytes.length >= other.type.size)
      return fc.fail(
        "EB2211",
        node,
        `A \`${typeName(other.type)}\` never holds this text of ${literal.bytes.length} bytes.`,
      );
    return { op: "compareText", compare, left, right, type: BOOL, span };
  }
  if (kinds.every((kind) => kind === "bool"))
    return { op: "compare", compare, signed: false, left, right, type: BOOL, span };
  if (kinds.every((kind) => kind === "kernelPointer" || kind === "userPointer"))
    return { op: "compare", compare, signed: false, left, right, type: BOOL, span };
  const numeric = new Set<Type["kind"]>(["int", "userPointer", "kernelPointer"]);
  if (kinds.every((kind) => numeric.has(kind))) return compareIntegers(fc, compare, left, right, node, [l, r]);
  return fc.fail(
    "TS2367",
    node,
    `\`${fc.text(l)}\` is ${typeName(left.type)} and \`${fc.text(r)}\` is ${typeName(right.type)}: they are never equal.`,
  );
}

/** `text[i] === "x"`: one byte against one. */
function characterOf(fc: FunctionChecker, l: Expression, r: Expression): { left: Expr; right: Expr } | undefined {
  if (l.type !== "MemberExpression" || !l.computed) return undefined;
  if (r.type !== "Literal" || typeof r.value !== "string") return undefined;
  const bytes = new TextEncoder().encode(r.value);
  const left = expr(fc, l);
  if (left.op !== "read" || left.type.kind !== "int" || left.type.bits !== 8) return undefined;
  if (bytes.length !== 1) return fc.fail("EB2212", r, "An element of a text is one byte, and this is not one.");
  return { left: readPlace({ ...placeOf(left), type: U8 }), right: number(BigInt(bytes[0] ?? 0), fc.span(r)) };
}
