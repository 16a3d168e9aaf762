import type { Expression } from "@oxc-project/types";
import type { Expr, Local, Place, Stmt } from "../hir.ts";
import { isAggregate } from "../type.ts";
import { coerce } from "./assign.ts";
import { binaryName, entityHere, expr, value, valueFor } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, binary, number } from "./integers.ts";
import { contentOf, localPlace, pointerPlace, readPlace } from "./places.ts";
import { abandon } from "./report.ts";

/** An expression whose value nobody looks at. */
export function effect(fc: FunctionChecker, node: Expression): Stmt[] {
  const span = fc.span(node);
  if (node.type === "AssignmentExpression") return [assignment(fc, node)];
  if (node.type === "UpdateExpression") {
    const by = node.operator === "++" ? "add" : "sub";
    return [change(fc, node.argument as Expression, by, number(1n, span), node, node)];
  }
  if (node.type === "SequenceExpression") return node.expressions.flatMap((one) => effect(fc, one));
  const done = expr(fc, node);
  // A text that stands alone is a directive (`"use strict"`): nothing.
  if (node.type === "Literal" && typeof node.value === "string") return [];
  if (!hasEffect(done)) fc.cx.report.warn("EB2019", span, `\`${fc.text(node)}\` computes something that nobody uses.`);
  // Nobody looks at whether it was written: what finds no room is counted.
  const value: Expr = done.op === "mapSet" ? { ...done, counted: true } : done;
  return [{ op: "expr", value, span }];
}

function hasEffect(value: Expr): boolean {
  if (value.op === "helper") return ["signal", "signalThread", "random"].includes(value.name);
  return (
    value.op === "call" ||
    value.op === "print" ||
    value.op === "readInto" ||
    /^(map|ring|cell|storage|stack|tail)/.test(value.op) ||
    value.op === "chain"
  );
}

function assignment(fc: FunctionChecker, node: Extract<Expression, { type: "AssignmentExpression" }>): Stmt {
  const target = node.left as Expression;
  const span = fc.span(node);
  if (node.left.type === "ObjectPattern" || node.left.type === "ArrayPattern")
    return fc.fail("EB1008", node.left, "One variable is assigned to at a time here.");
  if (node.operator !== "=") {
    const name = binaryName(node.operator.slice(0, -1));
    if (name === undefined)
      return fc.fail("EB1009", node, `\`${node.operator}\` is not in kernel TypeScript.`, { help: "Write an `if`." });
    return change(fc, target, name, value(fc, node.right), node, node.right);
  }
  if (target.type === "Identifier") {
    const binding = fc.scope.find(target.name);
    if (binding?.kind === "broken") return abandon();
    if (binding?.kind === "local") {
      const { local } = binding;
      if (binding.isConst) return constant(fc, target, local.name);
      const given = expr(fc, node.right, local.type);
      noteSign(fc, binding.node, local, given);
      const next = coerce(fc, given, local.type, node.right, { what: `\`${local.name}\`` });
      local.mutable = true;
      if (local.type.kind === "optional")
        fc.facts = next.op === "wrap" ? fc.facts.with([local]) : fc.facts.without([local]);
      if (isAggregate(local.type)) return { op: "store", place: localPlace(local, span), value: next, span };
      return { op: "assign", local, value: next, span };
    }
  }
  const place = writable(fc, target);
  const stored = valueFor(fc, node.right, place.type, `\`${fc.text(target)}\``);
  return { op: "store", place, value: contentOf(stored), span };
}

/** A variable without annotation that a signed value is given to is signed: the function is checked again, knowing that. */
function noteSign(fc: FunctionChecker, node: object, local: Local, given: Expr): void {
  if (local.type.kind !== "int" || !local.type.plain || local.type.signed) return;
  if (given.type.kind !== "int" || !given.type.signed || fc.signedLocals.has(node)) return;
  fc.signedLocals.add(node);
  fc.foundSigned = true;
}

/** `target op= by`. */
function change(
  fc: FunctionChecker,
  target: Expression,
  by: Parameters<typeof binary>[1],
  amount: Expr,
  node: Expression,
  amountNode: Expression,
): Stmt {
  const span = fc.span(node);
  if (target.type === "Identifier") {
    const binding = fc.scope.find(target.name);
    if (binding?.kind === "broken") return abandon();
    if (binding?.kind === "local" && !isAggregate(binding.local.type)) {
      const { local } = binding;
      if (binding.isConst) return constant(fc, target, local.name);
      const result = binary(fc, by, value(fc, target), amount, node, [target, amountNode]);
      noteSign(fc, binding.node, local, result);
      local.mutable = true;
      return { op: "assign", local, value: coerce(fc, result, local.type, node, { what: `\`${local.name}\`` }), span };
    }
  }
  const place = writable(fc, target);
  const read: Expr = { ...readPlace(place), span: fc.span(target) };
  // The types are checked as for `a = a op b`; what is written is cut off to the place's width as the machine does.
  asInteger(fc, read, target);
  const given = asInteger(fc, amount, amountNode);
  return { op: "update", place, binary: by, value: given, span };
}

function constant(fc: FunctionChecker, node: Expression, name: string): never {
  return fc.fail("TS2588", node, `\`${name}\` is a constant.`, { help: "Declare it with `let`." });
}

/** A place that programs may write. */
export function writable(fc: FunctionChecker, node: Expression): Place {
  const entity = node.type === "Identifier" ? entityHere(fc, node) : undefined;
  if (entity !== undefined) {
    if (entity.kind === "broken") return abandon();
    const isGlobal = entity.kind === "global" && entity.global.kind === "global";
    const help = isGlobal
      ? `Write \`${fc.text(node)}.value = …\`.`
      : "For a value that programs change declare `global(u64, 0)`.";
    return fc.fail("EB3104", node, `\`${fc.text(node)}\` is declared outside of programs and cannot be assigned to.`, {
      help,
    });
  }
  const target = expr(fc, node);
  if (target.op === "local" && target.type.kind === "reference") return pointerPlace(target, target.type.to);
  if (target.op !== "read") return fc.fail("TS2364", node, `\`${fc.text(node)}\` is no place that can be assigned to.`);
  const { base } = target.place;
  if (base.kind === "context" && base.writable !== true)
    return fc.fail(
      "EB3104",
      node,
      `\`${fc.text(node)}\` is part of the program's context, which this kind of program cannot change.`,
    );
  if (base.kind === "pointer" && base.pointer.type.kind === "kernelPointer")
    return fc.fail("EB3103", node, `\`${fc.text(node)}\` is memory of the kernel, which programs only read.`);
  if (base.kind === "global" && base.global.kind === "param")
    return fc.fail(
      "EB3104",
      node,
      `\`${base.global.name}\` is a parameter: user space sets it before the program is loaded.`,
    );
  if (base.kind === "temporary")
    return fc.fail("TS2364", node, `\`${fc.text(node)}\` is no place that can be assigned to.`);
  return target.place;
}
