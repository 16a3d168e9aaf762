import type { Expression } from "@oxc-project/types";
import { CONSTANTS } from "../vocabulary/helpers.ts";
import type { Checker } from "./checker.ts";
import { type Constant, type ConstantObject, entityOf, type FileScope } from "./entity.ts";

/** An integer literal as it is written: exact beyond 2^53; undefined for a fraction. */
export function integerOf(raw: string): bigint | undefined {
  const digits = raw.replaceAll("_", "");
  if (/^(0[xob])?[\da-f]+$/i.test(digits)) return BigInt(digits);
  const number = Number(digits);
  return Number.isInteger(number) ? BigInt(number) : undefined;
}

/** The value of an expression that must be known while compiling. */
export function constantOf(cx: Checker, file: FileScope, node: Expression): Constant {
  const found = tryConstant(cx, file, node);
  return found === NOT_CONSTANT
    ? cx.report.fail("EB1020", cx.span(file, node), "This must be known when the program is compiled.", {
        help: "Write a number, a text, or arithmetic of such, or of constants declared with `const` outside of functions.",
      })
    : found;
}

/** What `tryConstant` gives for everything else. */
export const NOT_CONSTANT = Symbol("not constant");

/** The value where it is known while compiling; what is wrong in itself (a fraction, say) is reported. */
export function tryConstant(cx: Checker, file: FileScope, node: Expression): Constant | typeof NOT_CONSTANT {
  switch (node.type) {
    case "Literal": {
      if ("bigint" in node)
        return cx.report.fail("EB1013", cx.span(file, node), `\`${node.raw}\` is a bigint.`, {
          help: `Write \`${node.raw?.slice(0, -1)}\`: integers of kernel TypeScript are exact to 64 bits.`,
        });
      if (typeof node.value === "number")
        return (
          integerOf(node.raw ?? "") ??
          cx.report.fail("EB1012", cx.span(file, node), `\`${node.raw}\` is no integer: eBPF has no floating point.`, {
            help: "Scale what you compute: `x * 1000 / y` has three decimals.",
          })
        );
      return typeof node.value === "string" || typeof node.value === "boolean" ? node.value : NOT_CONSTANT;
    }
    case "Identifier": {
      if (node.name === "undefined") return undefined;
      return constantEntity(file, node);
    }
    case "TemplateLiteral":
      return node.expressions.length === 0 ? (node.quasis[0]?.value.cooked ?? NOT_CONSTANT) : NOT_CONSTANT;
    case "UnaryExpression": {
      const value = tryConstant(cx, file, node.argument);
      if (typeof value === "bigint") {
        if (node.operator === "-") return -value;
        if (node.operator === "~") return ~value;
        if (node.operator === "+") return value;
      }
      return node.operator === "!" && typeof value === "boolean" ? !value : NOT_CONSTANT;
    }
    case "BinaryExpression": {
      if (node.left.type === "PrivateIdentifier") return NOT_CONSTANT;
      const left = tryConstant(cx, file, node.left);
      const right = tryConstant(cx, file, node.right);
      return typeof left === "bigint" && typeof right === "bigint" ? compute(node.operator, left, right) : NOT_CONSTANT;
    }
    case "MemberExpression": {
      const named = constantEntity(file, node);
      if (named !== NOT_CONSTANT) return named;
      const object = tryConstant(cx, file, node.object);
      if (typeof object !== "object") return NOT_CONSTANT;
      if (Array.isArray(object)) {
        const index = node.computed ? tryConstant(cx, file, node.property as Expression) : NOT_CONSTANT;
        return typeof index === "bigint" && Number(index) < object.length ? object[Number(index)] : NOT_CONSTANT;
      }
      if (node.computed || node.property.type !== "Identifier") return NOT_CONSTANT;
      const members = object as ConstantObject;
      return Object.hasOwn(members, node.property.name) ? members[node.property.name] : NOT_CONSTANT;
    }
    case "ObjectExpression": {
      const result: Record<string, Constant> = Object.create(null);
      for (const property of node.properties) {
        if (property.type !== "Property" || property.computed || property.kind !== "init") return NOT_CONSTANT;
        const value = tryConstant(cx, file, property.value);
        const name = propertyName(property.key);
        if (value === NOT_CONSTANT || name === undefined) return NOT_CONSTANT;
        result[name] = value;
      }
      return result;
    }
    case "ArrayExpression": {
      const values: Constant[] = [];
      for (const element of node.elements) {
        if (element === null || element.type === "SpreadElement") return NOT_CONSTANT;
        const value = tryConstant(cx, file, element);
        if (value === NOT_CONSTANT) return NOT_CONSTANT;
        values.push(value);
      }
      return values;
    }
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return tryConstant(cx, file, node.expression);
    default:
      return NOT_CONSTANT;
  }
}

/** A constant by its name, or by that and its module's. */
function constantEntity(file: FileScope, node: Expression): Constant | typeof NOT_CONSTANT {
  const entity = entityOf(file, node);
  if (entity?.kind === "constant") return entity.value;
  return (entity?.kind === "vocabulary" ? CONSTANTS[entity.name] : undefined) ?? NOT_CONSTANT;
}

/** The name of a property that is written plainly or as a text. */
export function propertyName(key: { readonly type: string }): string | undefined {
  const node = key as Expression;
  if (node.type === "Identifier") return node.name;
  return node.type === "Literal" && typeof node.value === "string" ? node.value : undefined;
}

function compute(operator: string, a: bigint, b: bigint): bigint | boolean | typeof NOT_CONSTANT {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return b === 0n ? NOT_CONSTANT : a / b;
    case "%":
      return b === 0n ? NOT_CONSTANT : a % b;
    case "**":
      return b < 0n || b > 64n ? NOT_CONSTANT : a ** b;
    case "<<":
      return b < 0n || b > 63n ? NOT_CONSTANT : a << b;
    case ">>":
      return b < 0n || b > 63n ? NOT_CONSTANT : a >> b;
    case "&":
      return a & b;
    case "|":
      return a | b;
    case "^":
      return a ^ b;
    default:
      return NOT_CONSTANT;
  }
}

/** A constant in a message. */
export function shown(value: Constant): string {
  if (typeof value === "string") return JSON.stringify(value);
  return typeof value === "object" ? "an object" : String(value);
}
