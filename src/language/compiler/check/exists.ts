import type { CallExpression, Expression } from "@oxc-project/types";
import { tracepointName } from "../tracepoint-format.ts";
import type { Type } from "../type.ts";
import { entityHere, expr } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { typeName } from "./type-names.ts";

/** What `exists` was asked of and the kernel does not have: declared for TypeScript nevertheless (`skep types`). */
export interface AbsentMember {
  readonly of: "struct" | "tracepoint";
  readonly name: string;
  readonly member: string;
}

/** Whether an expression calls `exists`. */
export function isQuestion(fc: FunctionChecker, node: Expression): node is CallExpression {
  if (node.type !== "CallExpression") return false;
  const entity = entityHere(fc, node.callee);
  return entity?.kind === "vocabulary" && entity.name === "exists";
}

/** `exists(value.member)`, `exists("function")`, `exists("category:tracepoint")`: whether the kernel has it. */
export function exists(fc: FunctionChecker, node: CallExpression): boolean {
  const [argument, ...more] = node.arguments;
  if (argument === undefined || more.length > 0)
    return fc.fail("TS2554", node, `\`exists\` takes 1 argument, and ${node.arguments.length} are given.`);
  if (argument.type === "Literal" && typeof argument.value === "string") return isNamed(fc, argument.value, argument);
  const plain = argument.type === "ChainExpression" ? argument.expression : argument;
  if (plain.type === "MemberExpression" && !plain.computed && plain.property.type === "Identifier")
    return isMember(fc, plain);
  return fc.fail(
    "EB2026",
    argument,
    "`exists` is asked of a member: of a struct of the kernel, or of a program's context.",
    {
      help: 'Write `exists(task().__state)`; a name as a text is that of a function of the kernel, or of a tracepoint: `exists("vfs_read")`, `exists("sched:sched_switch")`.',
    },
  );
}

type Member = Extract<Expression, { type: "MemberExpression" }>;

function isMember(fc: FunctionChecker, node: Member): boolean {
  const name = (node.property as { readonly name: string }).name;
  const { object } = node;
  if (object.type === "Identifier") {
    const binding = fc.scope.find(object.name);
    if (binding?.kind === "context") {
      const { fields, args, tracepoint } = binding.shape;
      const there = fields.has(name) || (name === "args" && args !== undefined);
      if (!there && tracepoint !== undefined) fc.cx.isAbsent({ of: "tracepoint", name: tracepoint, member: name });
      return there;
    }
  }
  // What is not there has no members either.
  if (object.type === "MemberExpression" && !object.computed && isStructMember(fc, object) && !isMember(fc, object))
    return false;
  const type = pointee(expr(fc, object).type);
  if (type.kind === "struct") return type.fields.some((field) => field.name === name);
  const kernel = fc.cx.kernel(fc.span(node));
  if (type.kind !== "kernelPointer" || type.type === 0 || !kernel.isStruct(type.type))
    return fc.fail(
      "EB2026",
      object,
      `\`${fc.text(object)}\` is ${typeName(type)}, which has no members of the kernel's.`,
    );
  if (kernel.member(type.type, name) !== undefined) return true;
  fc.cx.isAbsent({ of: "struct", name: type.name, member: name });
  return false;
}

/** Whether the object is a value, and no map, namespace or global. */
function isStructMember(fc: FunctionChecker, { object }: Member): boolean {
  return entityHere(fc, object) === undefined;
}

function pointee(type: Type): Type {
  if (type.kind === "optional") return pointee(type.of);
  return type.kind === "reference" ? type.to : type;
}

function isNamed(fc: FunctionChecker, name: string, node: Expression): boolean {
  const parts = tracepointName(name);
  if (parts !== undefined) return fc.cx.target.tracepointFormat(parts.category, parts.event) !== undefined;
  if (/^\w+$/.test(name)) return fc.cx.kernel(fc.span(node)).functionPrototype(name) !== undefined;
  return fc.fail("EB2026", node, `"${name}" is the name of no function of a kernel, and of no tracepoint.`);
}
