import type { Expression, ObjectExpression } from "@oxc-project/types";
import type { BinaryName, CompareName, Expr, Local, MapDecl } from "../hir.ts";
import { BOOL, I64, type IntType, isAggregate, type Type, U32, U64, VOID } from "../type.ts";
import { absent, coerce } from "./assign.ts";
import { call } from "./calls.ts";
import { condition } from "./conditions.ts";
import { NOT_CONSTANT, propertyName, tryConstant } from "./constants.ts";
import { type Constant, type Entity, entityOf } from "./entity.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, binary, compareIntegers, number, plain } from "./integers.ts";
import { contextField, contextRead, elementOf, meant, memberOf } from "./members.ts";
import { contentOf, globalPlace, localPlace, readPlace } from "./places.ts";
import { abandon } from "./report.ts";
import { layStruct } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** How an expression is looked at. */
export interface ExprOptions {
  /** An optional variable stays one, also where it is known to be there. */
  readonly keepOptional?: boolean;
}

type MemberNode = Extract<Expression, { type: "MemberExpression" }>;

const BINARY: Readonly<Record<string, BinaryName>> = {
  "+": "add",
  "-": "sub",
  "*": "mul",
  "/": "div",
  "%": "mod",
  "&": "and",
  "|": "or",
  "^": "xor",
  "<<": "shl",
  ">>": "shr",
  ">>>": "ushr",
};
const COMPARE: Readonly<Record<string, CompareName>> = { "<": "lt", "<=": "le", ">": "gt", ">=": "ge" };

/** The name of a compound assignment's operation: `+=` is `add`. */
export function binaryName(operator: string): BinaryName | undefined {
  return BINARY[operator];
}

export function isUndefined(node: Expression): boolean {
  return node.type === "Identifier" && node.name === "undefined";
}

/** An expression that gives something, which is there. */
export function value(fc: FunctionChecker, node: Expression, expected?: Type): Expr {
  const result = expr(fc, node, expected);
  if (result.type.kind === "optional" || result.op === "undefined") return absent(fc, result, node);
  if (result.type.kind === "void")
    return fc.fail("EB2107", node, `\`${fc.text(node)}\` gives nothing that could be used.`);
  return result;
}

/** A value for a place of a type. */
export function valueFor(fc: FunctionChecker, node: Expression, to: Type, what: string, code?: string): Expr {
  return coerce(fc, expr(fc, node, to), to, node, { what, ...(code !== undefined && { code }) });
}

/** Any expression. `expected` is what it is wanted as: texts and objects are made in that type. */
export function expr(fc: FunctionChecker, node: Expression, expected?: Type, options: ExprOptions = {}): Expr {
  const span = fc.span(node);
  const wanted = expected?.kind === "optional" ? expected.of : expected;
  switch (node.type) {
    case "Literal":
    case "TemplateLiteral": {
      const constant = tryConstant(fc.cx, fc.file, node);
      if (constant !== NOT_CONSTANT) return constantExpr(fc, constant, node, wanted);
      if (node.type === "TemplateLiteral")
        return fc.fail("EB1014", node, "A template with values in it can only be printed.", {
          help: "Send the values as fields of an event, or use `print`.",
        });
      return fc.fail("EB1001", node, `\`${fc.text(node)}\` has no meaning in the kernel.`);
    }
    case "Identifier":
      return identifier(fc, node, wanted, options);
    case "MemberExpression": {
      const constant = tryConstantHere(fc, node);
      if (constant !== NOT_CONSTANT) return constantExpr(fc, constant, node, wanted);
      return member(fc, node, wanted);
    }
    case "ChainExpression":
      return chain(fc, node);
    case "UnaryExpression": {
      const constant = tryConstantHere(fc, node);
      if (constant !== NOT_CONSTANT && constant !== undefined) return constantExpr(fc, constant, node, wanted);
      if (node.operator === "!") return condition(fc, node).test;
      if (node.operator !== "-" && node.operator !== "~" && node.operator !== "+")
        return fc.fail("EB1001", node, `\`${node.operator}\` has no meaning in the kernel.`);
      const operand = asInteger(fc, value(fc, node.argument), node.argument);
      if (node.operator === "+") return operand;
      const op = node.operator === "-" ? "negate" : "invert";
      // −x of an unsigned x is signed, as one reads it; ~x keeps the sign.
      return { op, value: operand, type: plain(op === "negate" || operand.type.signed), span };
    }
    case "BinaryExpression": {
      const constant = tryConstantHere(fc, node);
      if (constant !== NOT_CONSTANT) return constantExpr(fc, constant, node, wanted);
      if (node.left.type === "PrivateIdentifier")
        return fc.fail("EB1001", node, "Private names belong to classes, which the kernel does not have.");
      if (node.operator === "===" || node.operator === "!==") return condition(fc, node).test;
      if (node.operator === "==" || node.operator === "!=")
        return fc.fail("EB1002", node, `Write \`${node.operator}=\`: there is only one kind of equality here.`);
      const compare = COMPARE[node.operator];
      const left = value(fc, node.left);
      const right = value(fc, node.right);
      if (compare !== undefined) return compareIntegers(fc, compare, left, right, node, [node.left, node.right]);
      const name = BINARY[node.operator];
      if (name === undefined) return fc.fail("EB1001", node, `\`${node.operator}\` has no meaning in the kernel.`);
      if (name === "add" && (left.type.kind === "str" || right.type.kind === "str"))
        return fc.fail("EB1015", node, "Texts are not put together in the kernel.", {
          help: "Send both as fields of an event and join them in user space.",
        });
      return binary(fc, name, left, right, node, [node.left, node.right]);
    }
    case "LogicalExpression":
      return node.operator === "??" ? coalesce(fc, node.left, node.right, node, wanted) : logical(fc, node);
    case "ConditionalExpression":
      return conditional(fc, node, wanted);
    case "ObjectExpression":
      return object(fc, node, wanted);
    case "ArrayExpression": {
      const of = wanted?.kind === "array" ? wanted.element : undefined;
      const values = node.elements.map((element) => {
        if (element === null || element.type === "SpreadElement")
          return fc.fail("EB1001", node, "Every element of an array is written out here.");
        return value(fc, element, of);
      });
      const [first] = values;
      const element: Type = first?.type ?? U64;
      const type: Type =
        wanted?.kind === "array" || wanted?.kind === "bytes"
          ? wanted
          : { kind: "array", element, length: values.length };
      const literal: Expr = { op: "elements", values, type, span };
      return coerce(fc, literal, type, node, { what: "the array" });
    }
    case "CallExpression":
      return call(fc, node, wanted);
    case "TSAsExpression":
    case "TSSatisfiesExpression":
      return expr(fc, node.expression, expected, options);
    case "TSNonNullExpression": {
      // Where tsc sees an element that may not be there (`list[i]!`), an index is proven to be below the length.
      const inner = expr(fc, node.expression, expected, options);
      if (inner.type.kind !== "optional") return inner;
      return fc.fail("EB2102", node, "`!` says that it is there; the kernel wants to see it tested.", {
        help: "Write `if (x === undefined) return;` before, or `x ?? 0`.",
      });
    }
    case "AssignmentExpression":
    case "UpdateExpression":
      return fc.fail("EB1003", node, "An assignment is a statement of its own here: it gives no value.");
    case "ArrowFunctionExpression":
    case "FunctionExpression":
      return fc.fail("EB1001", node, "Functions are no values in the kernel.", {
        help: "Declare it outside of the program with `function name(…)` and call it by its name.",
      });
    case "AwaitExpression":
      return fc.fail("EB1001", node, "`await` cannot be in the kernel: a program runs to its end.", {
        help: "Do the waiting in user space and pass the result through a map.",
      });
    case "NewExpression":
    case "ClassExpression":
    case "ThisExpression":
    case "Super":
      return fc.fail("EB1001", node, "There are no classes in the kernel.", {
        help: "Use `struct({ … })` for data and functions for what is done with it.",
      });
    default:
      return fc.fail("EB1001", node, `\`${fc.text(node)}\`: kernel TypeScript has no such expression.`);
  }
}

/** A constant of the file's; not of names that a variable of the function hides. */
function tryConstantHere(fc: FunctionChecker, node: Expression): Constant | typeof NOT_CONSTANT {
  return mentionsLocal(fc, node) ? NOT_CONSTANT : tryConstant(fc.cx, fc.file, node);
}

function mentionsLocal(fc: FunctionChecker, node: Expression): boolean {
  switch (node.type) {
    case "Identifier":
      return fc.scope.find(node.name) !== undefined;
    case "MemberExpression":
      return mentionsLocal(fc, node.object) || (node.computed && mentionsLocal(fc, node.property as Expression));
    case "UnaryExpression":
      return mentionsLocal(fc, node.argument);
    case "BinaryExpression":
      return node.left.type === "PrivateIdentifier" || mentionsLocal(fc, node.left) || mentionsLocal(fc, node.right);
    default:
      return false;
  }
}

function constantExpr(fc: FunctionChecker, constant: Constant, node: Expression, wanted: Type | undefined): Expr {
  const span = fc.span(node);
  if (typeof constant === "bigint") {
    if (constant >= 1n << 64n || constant < -(1n << 63n))
      return fc.fail("EB2206", node, `${constant} has more than 64 bits.`);
    return number(constant, span);
  }
  if (typeof constant === "boolean") return { op: "boolean", value: constant, type: BOOL, span };
  if (constant === undefined) return { op: "undefined", type: VOID, span };
  if (typeof constant === "string") {
    const bytes = new TextEncoder().encode(constant);
    if (bytes.includes(0)) return fc.fail("EB2213", node, "A text ends at its first NUL: it cannot hold one.");
    const type: Type = wanted?.kind === "str" ? wanted : { kind: "str", size: bytes.length + 1 };
    return { op: "string", bytes, type, span };
  }
  return fc.fail("EB2011", node, `\`${fc.text(node)}\` is a table of constants: name the one that is meant.`);
}

function identifier(
  fc: FunctionChecker,
  node: Extract<Expression, { type: "Identifier" }>,
  wanted: Type | undefined,
  options: ExprOptions,
): Expr {
  const span = fc.span(node);
  const binding = fc.scope.find(node.name);
  if (binding?.kind === "broken") return abandon();
  if (binding?.kind === "context")
    return fc.fail("EB2010", node, `\`${node.name}\` is the program's context: it is not passed on whole.`, {
      help: `Use what is in it: \`${node.name}.field\`.`,
    });
  if (binding?.kind === "packet")
    return fc.fail("EB2010", node, `\`${node.name}\` is the packet: it is not passed on whole.`, {
      help: `Use \`${node.name}.at(offset, Type)\` or \`${node.name}.length\`.`,
    });
  if (binding?.kind === "local") return localExpr(fc, binding.local, span, options);
  if (node.name === "undefined") return { op: "undefined", type: VOID, span };
  return entityExpr(fc, fc.file.names.get(node.name), node, wanted);
}

/** A variable: known to be there, or as it is. */
function localExpr(fc: FunctionChecker, local: Local, span: Expr["span"], options: ExprOptions = {}): Expr {
  const { type } = local;
  if (isAggregate(type)) return readPlace(localPlace(local, span));
  const read: Expr = { op: "local", local, type, span };
  if (type.kind !== "optional" || options.keepOptional === true || !fc.isPresent(local)) return read;
  return { op: "unwrap", value: read, type: type.of, span };
}

function entityExpr(fc: FunctionChecker, entity: Entity | undefined, node: Expression, wanted: Type | undefined): Expr {
  switch (entity?.kind) {
    case "constant":
      return constantExpr(fc, entity.value, node, wanted);
    case "global": {
      const { global } = entity;
      if (global.kind === "param") return readPlace(globalPlace(global, fc.span(node)));
      return fc.fail("EB2013", node, `\`${global.name}\` is a global: its value is \`${global.name}.value\`.`);
    }
    case "vocabulary": {
      const constant = tryConstant(fc.cx, fc.file, node);
      if (constant !== NOT_CONSTANT) return constantExpr(fc, constant, node, wanted);
      return fc.fail("EB2011", node, `\`${fc.text(node)}\` is no value by itself.`, {
        help: `Is \`${fc.text(node)}()\` meant?`,
      });
    }
    case "broken":
      return abandon();
    case "foreign":
      return isForeign(fc, node);
    case undefined: {
      const name = fc.text(node);
      return fc.fail("TS2304", node, `There is no \`${name}\` here.`, meant(name, fc.file.names.keys()));
    }
    default:
      return fc.fail("EB2011", node, `\`${fc.text(node)}\` is a ${entity?.kind}, which is no value.`);
  }
}

/** Refuses a value of JavaScript's in kernel code. */
export function isForeign(fc: FunctionChecker, node: Expression): never {
  return fc.fail("EB1022", node, `\`${fc.text(node)}\` is a value of JavaScript, which the kernel does not see.`, {
    why: "A program runs in the kernel, and takes nothing along of what is around it but constants, functions and what `skep/kernel` makes.",
    help: "For a value that JavaScript sets before the program is loaded declare `param(u32, 0)`; for one that both change `global(u64, 0)`, or a map.",
  });
}

function member(fc: FunctionChecker, node: MemberNode, wanted: Type | undefined): Expr {
  if (node.object.type === "Identifier") {
    const binding = fc.scope.find(node.object.name);
    if (binding?.kind === "broken") return abandon();
    if (binding?.kind === "packet") {
      if (!node.computed && node.property.type === "Identifier" && node.property.name === "length")
        return { op: "packetLength", type: U32, span: fc.span(node) };
      return fc.fail("TS2339", node, "A packet has `at(offset, Type)` and `length`.");
    }
    if (binding?.kind === "context") {
      if (node.computed || node.property.type !== "Identifier")
        return fc.fail("EB3107", node, "A field of the context is named: `ctx.field`.");
      return contextField(fc, binding.shape, node.property.name, node);
    }
  }
  const argument = contextArgument(fc, node);
  if (argument !== undefined) return argument;
  const objectEntity = entityHere(fc, node.object);
  if (
    objectEntity?.kind === "global" &&
    objectEntity.global.kind === "global" &&
    !node.computed &&
    node.property.type === "Identifier"
  ) {
    if (node.property.name === "value") return readPlace(globalPlace(objectEntity.global, fc.span(node)));
    return fc.fail("TS2339", node, `There is no \`${node.property.name}\` in a global.`, {
      help: "Its value is `.value`; `.add(n)` adds to it atomically.",
    });
  }
  if (objectEntity?.kind === "namespace") return entityExpr(fc, entityOf(fc.file, node), node, wanted);
  if (objectEntity?.kind === "map") return mapProperty(fc, node, objectEntity.map);
  const object = expr(fc, node.object);
  return memberIn(fc, object, node);
}

/** `ctx.args[1]`. */
function contextArgument(fc: FunctionChecker, node: MemberNode): Expr | undefined {
  const { object } = node;
  if (!node.computed || object.type !== "MemberExpression" || object.computed) return undefined;
  if (object.object.type !== "Identifier" || object.property.type !== "Identifier" || object.property.name !== "args")
    return undefined;
  const binding = fc.scope.find(object.object.name);
  if (binding?.kind !== "context" || binding.shape.args === undefined) return undefined;
  const index = tryConstantHere(fc, node.property as Expression);
  if (typeof index !== "bigint")
    return fc.fail("EB3107", node.property, "Which argument is meant must be known when the program is compiled.", {
      help: "Write a `switch` over the number with one argument in each `case`.",
    });
  const field = binding.shape.args[Number(index)];
  if (field === undefined)
    return fc.fail(
      "TS2493",
      node.property,
      `There is no argument ${index} in ${binding.shape.what}, which has ${binding.shape.args.length}.`,
    );
  return contextRead(fc, field, node);
}

function mapProperty(fc: FunctionChecker, node: MemberNode, map: MapDecl): Expr {
  if (
    !node.computed &&
    node.property.type === "Identifier" &&
    node.property.name === "length" &&
    (map.kind === "array" || map.kind === "perCpuArray")
  )
    return number(BigInt(map.maxEntries), fc.span(node));
  return fc.fail("TS2339", node, `\`${fc.text(node)}\` is no value: a map's elements are reached by its methods.`, {
    help: `\`${fc.text(node.object)}.get(key)\`, for example.`,
  });
}

/** What an expression stands for outside of functions; undefined for variables of the function, which hide it. */
export function entityHere(fc: FunctionChecker, node: Expression): Entity | undefined {
  return mentionsLocal(fc, node) ? undefined : entityOf(fc.file, node);
}

function memberIn(fc: FunctionChecker, object: Expr, node: MemberNode): Expr {
  if (node.computed)
    return elementOf(fc, object, value(fc, node.property as Expression), node, node.object, node.property);
  if (node.property.type !== "Identifier")
    return fc.fail("EB1001", node, "Private names belong to classes, which the kernel does not have.");
  return memberOf(fc, object, node.property.name, node, node.object);
}

/** `a?.b.c`: what is behind the `?.` is looked at when it is there. */
function chain(fc: FunctionChecker, node: Extract<Expression, { type: "ChainExpression" }>): Expr {
  const span = fc.span(node);
  let bound: Local | undefined;
  let source: Expr | undefined;
  const walk = (part: Expression): Expr => {
    if (part.type === "MemberExpression") {
      if (!part.optional)
        return part.object.type === "MemberExpression" ? memberIn(fc, walk(part.object), part) : expr(fc, part);
      const object = expr(fc, part.object);
      if (object.type.kind !== "optional") return memberIn(fc, object, part);
      if (source !== undefined)
        return fc.fail("EB1004", part, "One `?.` in a chain is what kernel TypeScript has.", {
          help: "Give what is before it a name, and test that.",
        });
      source = object;
      bound = { name: fc.text(part.object), type: object.type.of, mutable: false, span: fc.span(part.object) };
      return memberIn(fc, localExpr(fc, bound, span), part);
    }
    if (part.type === "CallExpression")
      return fc.fail("EB1004", part, "Methods are not called through `?.` here.", {
        help: "Test it before: `if (x !== undefined) x.method();`",
      });
    return expr(fc, part);
  };
  const then = contentOf(walk(node.expression as Expression));
  if (source === undefined || bound === undefined) return then;
  if (isAggregate(then.type))
    return fc.fail("EB1004", node, "What `?.` gives must fit a register.", {
      help: "Test it before, and read the field then.",
    });
  return { op: "chain", value: source, bound, then, type: { kind: "optional", of: then.type }, span };
}

function logical(fc: FunctionChecker, node: Extract<Expression, { type: "LogicalExpression" }>): Expr {
  const { test, notBoolean } = condition(fc, node);
  if (notBoolean === undefined) return test;
  return fc.fail("EB2108", node, `\`${node.operator}\` gives a boolean here, and \`${fc.text(notBoolean)}\` is none.`, {
    help:
      node.operator === "||"
        ? "For another value where one is absent write `??`; for one where it is 0 write `x !== 0 ? x : y`."
        : "Write a comparison, or `x !== 0 ? y : 0`.",
  });
}

function coalesce(fc: FunctionChecker, l: Expression, r: Expression, node: Expression, wanted: Type | undefined): Expr {
  const left = expr(fc, l, wanted);
  const span = fc.span(node);
  if (left.type.kind !== "optional") {
    if (left.op === "undefined") return expr(fc, r, wanted);
    return left;
  }
  const { of } = left.type;
  const right = expr(fc, r, of);
  if (of.kind === "int" && right.type.kind === "int") {
    const fallback = right.op === "number" ? coerce(fc, right, widerFor(of, right), r, { what: "the value" }) : right;
    return { op: "coalesce", value: left, fallback, type: unifyIntegers(of, right), span };
  }
  const fallback = coerce(fc, right, of, r, { what: "the value before `??`" });
  return { op: "coalesce", value: left, fallback, type: of, span };
}

function widerFor(type: IntType, literal: Extract<Expr, { op: "number" }>): IntType {
  return type.signed || literal.value < 0n ? I64 : U64;
}

/** The integer type of either of two values. */
function unifyIntegers(type: IntType, other: Expr): IntType {
  const second = other.type as IntType;
  if (other.op === "number" && other.value >= 0n)
    return type.signed ? plain(true) : other.value < 1n << BigInt(type.bits) ? type : plain(false);
  // How they are stored makes no difference: in a program a be32 is a u32.
  if (type.bits === second.bits && type.signed === second.signed) return type.bigEndian ? second : type;
  return plain(type.signed || second.signed);
}

function conditional(
  fc: FunctionChecker,
  node: Extract<Expression, { type: "ConditionalExpression" }>,
  wanted: Type | undefined,
): Expr {
  const { test, whenTrue, whenFalse, decided } = condition(fc, node.test);
  const span = fc.span(node);
  if (decided !== undefined) {
    const [taken, other] = decided ? [node.consequent, node.alternate] : [node.alternate, node.consequent];
    fc.cx.aside(() => expr(fc, other, wanted));
    const way = fc.under(fc.facts.with(decided ? whenTrue : whenFalse), () => contentOf(expr(fc, taken, wanted)));
    return test.op === "boolean" ? way : { op: "conditional", test, then: way, else: way, type: way.type, span };
  }
  const then = fc.under(fc.facts.with(whenTrue), () => contentOf(expr(fc, node.consequent, wanted)));
  const other = fc.under(fc.facts.with(whenFalse), () => contentOf(expr(fc, node.alternate, wanted)));
  const [a, b] = [then.type, other.type];
  const make = (left: Expr, right: Expr, type: Type): Expr => ({
    op: "conditional",
    test,
    then: left,
    else: right,
    type,
    span,
  });
  const both = (type: Type, what = "the value"): Expr =>
    make(
      coerce(fc, then, type, node.consequent, { what: "the value" }),
      coerce(fc, other, type, node.alternate, { what }),
      type,
    );
  if (a.kind === "int" && b.kind === "int") {
    if (then.op === "number" && other.op !== "number") return make(then, other, unifyIntegers(b, then));
    return make(then, other, unifyIntegers(a, other));
  }
  const absentSide = then.op === "undefined" ? other : other.op === "undefined" ? then : undefined;
  if (absentSide !== undefined) {
    // A number that is written or computed is one of the type that is wanted.
    const isPlain = absentSide.type.kind === "int" && absentSide.type.plain === true;
    const of = isPlain && wanted?.kind === "int" ? wanted : absentSide.type;
    return both(of.kind === "optional" ? of : { kind: "optional", of });
  }
  if (a.kind === "optional" || b.kind === "optional") return both(a.kind === "optional" ? a : b);
  const type =
    wanted !== undefined && isAggregate(wanted)
      ? wanted
      : a.kind === "str" && b.kind === "str" && b.size > a.size
        ? b
        : a;
  return both(type, `\`${typeName(type)}\``);
}

function object(fc: FunctionChecker, node: ObjectExpression, wanted: Type | undefined): Expr {
  const span = fc.span(node);
  const target = wanted?.kind === "struct" ? wanted : undefined;
  const seen = new Set<string>();
  const fields: { name: string; value: Expr }[] = [];
  for (const property of node.properties) {
    if (property.type === "SpreadElement")
      return fc.fail("EB1005", property, "Fields are written out one by one here.");
    const name = property.computed ? undefined : propertyName(property.key);
    if (name === undefined || property.kind !== "init" || property.method)
      return fc.fail("EB1005", property, "A field has a plain name and a value here.");
    if (seen.has(name)) return fc.fail("TS1117", property, `Field \`${name}\` is there twice.`);
    seen.add(name);
    const field = target?.fields.find((one) => one.name === name);
    if (target !== undefined && field === undefined) {
      const names = target.fields.map((one) => one.name);
      return fc.fail("TS2353", property, `There is no field \`${name}\` in ${typeName(target)}.`, meant(name, names));
    }
    const inner = contentOf(expr(fc, property.value, field?.type));
    const given =
      field === undefined ? inner : coerce(fc, inner, field.type, property.value, { what: `field \`${name}\`` });
    if (given.type.kind === "optional" || given.op === "undefined") return absent(fc, given, property.value);
    fields.push({ name, value: given });
  }
  if (target !== undefined) {
    const missing = target.fields.find((field) => !seen.has(field.name));
    if (missing !== undefined)
      return fc.fail("TS2741", node, `Field \`${missing.name}\` of ${typeName(target)} is missing.`, {
        help: `Add \`${missing.name}: …\`: what a program does not write would be memory of somebody else.`,
      });
    return {
      op: "object",
      type: target,
      span,
      fields: fields.map(({ name, value: given }) => place(target, name, given)),
    };
  }
  const type = layStruct(
    "",
    fields.map(({ name, value: given }) => ({ name, type: stored(fc, given, node) })),
  );
  return { op: "object", type, span, fields: fields.map(({ name, value: given }) => place(type, name, given)) };
}

function place(
  type: Extract<Type, { kind: "struct" }>,
  name: string,
  given: Expr,
): { offset: number; type: Type; value: Expr } {
  const field = type.fields.find((one) => one.name === name);
  if (field === undefined) throw new Error(`no field ${name}`);
  return { offset: field.offset, type: field.type, value: given };
}

/** What a value is stored as in an object without a declared type. */
function stored(fc: FunctionChecker, given: Expr, node: Expression): Type {
  const { type } = given;
  if (type.kind === "kernelPointer") return U64;
  if (type.kind === "int" || type.kind === "bool" || type.kind === "userPointer" || isAggregate(type)) return type;
  return fc.fail("EB2014", node, `A ${typeName(type)} cannot be a field.`);
}
