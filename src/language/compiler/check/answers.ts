import type { Expression } from "@oxc-project/types";
import type { Expr, Stmt } from "../hir.ts";
import { isAggregate, type Type, VOID } from "../type.ts";
import { coerce } from "./assign.ts";
import { Facts } from "./entity.ts";
import { expr, value, valueFor } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { contentOf } from "./places.ts";
import { typeName } from "./type-names.ts";

/** An answer: one of a few numbers, written as it is. */
function verdict(fc: FunctionChecker, node: Expression, verdicts: number): Expr {
  const given = value(fc, node);
  const isAnswer = (one: Expr): boolean =>
    one.op === "conditional"
      ? isAnswer(one.then) && isAnswer(one.else)
      : one.op === "number" && one.value >= 0n && one.value < BigInt(verdicts);
  if (isAnswer(given)) return given;
  return fc.fail("TS2322", node, `\`${fc.text(node)}\` is no answer of this kind of program.`, {
    help: "It answers with `XDP.PASS`, `XDP.DROP`, `XDP.TX`, `XDP.REDIRECT` or `XDP.ABORTED`, written as such.",
  });
}

/** What is returned, as one of the type. Of programs that may give any number the kernel looks at the lower half. */
export function resultOf(fc: FunctionChecker, node: Expression, type: Type): Expr {
  if (fc.verdicts !== undefined) return verdict(fc, node, fc.verdicts);
  if (fc.isProgram && fc.returnsNothing && type.kind === "int") {
    const given = contentOf(expr(fc, node, type));
    if (given.type.kind === "int" && given.op !== "number")
      return { op: "convert", value: given, type, span: given.span };
    return coerce(fc, given, type, node, { what: "what is returned" });
  }
  return valueFor(fc, node, type, "what is returned");
}

export function returned(
  fc: FunctionChecker,
  node: Expression | null,
  span: Stmt["span"],
  at: { start: number; end: number },
): Stmt {
  const { result } = fc;
  let given: Expr | undefined;
  if (node !== null && !(result?.kind === "void" && node.type === "Identifier" && node.name === "undefined")) {
    if (result === undefined) {
      given = contentOf(expr(fc, node));
      fc.result = given.type;
      if (isAggregate(given.type))
        return fc.fail("EB2020", node, `A function cannot give a ${typeName(given.type)}.`, {
          help: "Give it a place to write to: a parameter with the struct's type.",
        });
    } else if (result.kind === "void") {
      return fc.fail(
        "TS2322",
        node,
        fc.isProgram ? "This kind of program gives nothing back." : "This function gives nothing back.",
      );
    } else given = resultOf(fc, node, result);
  } else if (result !== undefined && result.kind !== "void" && !(fc.isProgram && fc.returnsNothing)) {
    return fc.fail("TS2322", at, `A ${typeName(result)} is to be returned here.`);
  } else if (result === undefined) fc.result = VOID;
  fc.facts = Facts.UNREACHABLE;
  return { op: "return", value: given, span };
}
