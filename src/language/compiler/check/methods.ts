import type { CallExpression, Expression } from "@oxc-project/types";
import type { Expr } from "../hir.ts";
import { BOOL, U8, VOID } from "../type.ts";
import { absent } from "./assign.ts";
import { argument, argumentsOf } from "./calls.ts";
import { constantOf } from "./constants.ts";
import { value } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger } from "./integers.ts";
import { elementOf } from "./members.ts";
import { contentOf, placeOf, readPlace } from "./places.ts";
import { typeName } from "./type-names.ts";

/** A method of a value: of a text, of a cell, of a ring's record. */
export function methodCall(fc: FunctionChecker, target: Expr, method: string, node: CallExpression): Expr {
  const span = fc.span(node);
  // A text in a map is a text; a record of a ring has methods of its own.
  const object = target.type.kind === "reference" && target.type.memory !== "ring" ? contentOf(target) : target;
  const { type } = object;
  const objectNode = node.callee.type === "MemberExpression" ? node.callee.object : node;
  if (type.kind === "optional") return absent(fc, object, objectNode);
  if (type.kind === "cell") {
    const cell = object;
    switch (method) {
      case "add": {
        const [by] = argumentsOf(fc, node, "add", 1) as [Expression];
        if (type.of.kind !== "int") break;
        if (type.of.bits < 32)
          return fc.fail(
            "EB3109",
            node,
            `A ${typeName(type.of)} cannot be added to atomically: the machine has that for 32 and 64 bits.`,
            { help: "Declare it as u32 or u64." },
          );
        return { op: "cellAdd", cell, value: asInteger(fc, value(fc, by), by), type: VOID, span };
      }
      case "xchg": {
        const [next] = argumentsOf(fc, node, "xchg", 1) as [Expression];
        return { op: "cellExchange", cell, value: argument(fc, next, type.of, "the cell"), type: type.of, span };
      }
      case "cas": {
        const [old, next] = argumentsOf(fc, node, "cas", 2) as [Expression, Expression];
        return {
          op: "cellCompareExchange",
          cell,
          old: argument(fc, old, type.of, "the cell"),
          value: argument(fc, next, type.of, "the cell"),
          type: type.of,
          span,
        };
      }
      default:
    }
  }
  if (type.kind === "str") {
    if (method === "startsWith") {
      const [start] = argumentsOf(fc, node, method, 1) as [Expression];
      const prefix = constantOf(fc.cx, fc.file, start);
      if (typeof prefix !== "string")
        return fc.fail("TS2345", start, "`startsWith` wants a text that is written here.");
      const bytes = new TextEncoder().encode(prefix);
      if (bytes.length >= type.size)
        return fc.fail("EB2211", start, `A \`${typeName(type)}\` never begins with a text of ${bytes.length} bytes.`);
      return { op: "startsWith", text: object, prefix: bytes, type: BOOL, span };
    }
    if (method === "charCodeAt") {
      const [index] = argumentsOf(fc, node, method, 1) as [Expression];
      const element = elementOf(fc, object, value(fc, index), node, objectNode, index);
      return readPlace({ ...placeOf(element), type: U8 });
    }
  }
  if (type.kind === "reference" && type.memory === "ring" && (method === "submit" || method === "discard")) {
    argumentsOf(fc, node, method, 0);
    return { op: method === "submit" ? "ringSubmit" : "ringDiscard", slot: object, type: VOID, span };
  }
  return fc.fail("TS2339", node, `A ${typeName(type)} has no method \`${method}\`.`);
}
