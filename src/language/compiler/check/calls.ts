import type { CallExpression, Expression } from "@oxc-project/types";
import type { Expr, FunctionDecl, Place, PrintSite } from "../hir.ts";
import { BOOL, I64, type IntType, isAggregate, sizeOf, type Type, U32, U64, VOID } from "../type.ts";
import { HELPERS, SPECIAL } from "../vocabulary/helpers.ts";
import { coerce } from "./assign.ts";
import { writable } from "./assignments.ts";
import { constantOf, shown } from "./constants.ts";
import { exists } from "./exists.ts";
import { entityHere, expr, isForeign, value, valueFor } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { checkFunction } from "./functions.ts";
import { asInteger, commonSign, mixed, plain } from "./integers.ts";
import { mapCall } from "./map-calls.ts";
import { meant } from "./members.ts";
import { methodCall } from "./methods.ts";
import { contentOf, globalPlace, readPlace } from "./places.ts";
import { abandon } from "./report.ts";
import { argumentsWritten, layStruct, SCALARS, typeOfDescriptor } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** The farthest that the kernel follows an offset into a packet (MAX_PACKET_OFF, less a header). */
const MOST_OFFSET = 0x7fffn;

/** The arguments of a call, none of them spread; an error when they are too few or too many. */
export function argumentsOf(
  fc: FunctionChecker,
  node: CallExpression,
  what: string,
  least: number,
  most = least,
): Expression[] {
  const list = argumentsWritten(fc.cx, fc.file, node);
  if (list.length >= least && list.length <= most) return list;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  return fc.fail(
    "TS2554",
    node,
    `\`${what}\` takes ${wanted} argument${wanted === "1" ? "" : "s"}, and ${list.length} ${list.length === 1 ? "is" : "are"} given.`,
  );
}

/** A call: of a function of `skep/kernel`, of one of the source's, of a method of a map or value. */
export function call(fc: FunctionChecker, node: CallExpression, wanted: Type | undefined): Expr {
  if (node.optional) return fc.fail("EB1004", node, "`?.()` has no meaning in the kernel.");
  const { callee } = node;
  if (callee.type === "Identifier" && fc.scope.find(callee.name) !== undefined)
    return fc.fail("TS2349", callee, `\`${callee.name}\` is a variable, and cannot be called.`);
  const entity = entityHere(fc, callee);
  switch (entity?.kind) {
    case "vocabulary":
      return vocabularyCall(fc, entity.name, node, wanted);
    case "function":
      return functionCall(fc, checkFunction(fc.cx, entity.source, fc.span(node)), node);
    case "broken":
      return abandon();
    case "foreign":
      return isForeign(fc, callee);
    case undefined:
      break;
    default:
      return fc.fail("TS2349", callee, `\`${fc.text(callee)}\` is a ${entity?.kind}, and cannot be called.`);
  }
  if (callee.type === "MemberExpression" && !callee.computed && callee.property.type === "Identifier") {
    const packet = callee.object.type === "Identifier" ? fc.scope.find(callee.object.name) : undefined;
    if (packet?.kind === "packet") return packetCall(fc, callee.property.name, node);
    const object = entityHere(fc, callee.object);
    const method = callee.property.name;
    if (object?.kind === "broken") return abandon();
    if (object?.kind === "map") return mapCall(fc, object.map, method, node);
    if (object?.kind === "global") {
      const place = globalPlace(object.global, fc.span(callee.object));
      const { type } = object.global;
      if (object.global.kind === "global" && (type.kind === "int" || type.kind === "bool"))
        return methodCall(
          fc,
          { op: "address", place, type: { kind: "cell", of: type, perCpu: false }, span: place.span },
          method,
          node,
        );
      return methodCall(fc, readPlace(place), method, node);
    }
    if (
      callee.object.type === "Identifier" &&
      callee.object.name === "Math" &&
      object === undefined &&
      fc.scope.find("Math") === undefined
    ) {
      if (["min", "max", "abs", "clz32"].includes(method)) return vocabularyCall(fc, method, node, wanted);
      return fc.fail("EB1012", node, `\`Math.${method}\` computes with fractions, which eBPF does not have.`);
    }
    return methodCall(fc, expr(fc, callee.object), method, node);
  }
  if (callee.type === "Identifier") {
    return fc.fail(
      "TS2304",
      callee,
      `There is no function \`${callee.name}\` here.`,
      meant(
        callee.name,
        fc.file.names.keys(),
        `If it is one of \`skep/kernel\`, import it: \`import { ${callee.name} } from "skep/kernel"\`.`,
      ),
    );
  }
  return fc.fail("TS2349", callee, `\`${fc.text(callee)}\` cannot be called.`);
}

/** `packet.at(offset, type)`. */
function packetCall(fc: FunctionChecker, method: string, node: CallExpression): Expr {
  if (method !== "at")
    return fc.fail("TS2339", node, `A packet has no method \`${method}\`.`, { help: "It has `at(offset, Type)`." });
  const [at, descriptor] = argumentsOf(fc, node, method, 2) as [Expression, Expression];
  const type = typeOfDescriptor(fc.cx, fc.file, descriptor);
  const offset = asInteger(fc, value(fc, at), at);
  if (offset.op === "number" && (offset.value < 0n || offset.value > MOST_OFFSET))
    return fc.fail("EB3101", at, `No packet goes as far as byte ${offset.value}.`);
  if (!isAggregate(type))
    return fc.fail("EB2022", descriptor, "What is looked at in a packet is a struct, an array, a text or bytes.", {
      help: `Write \`struct({ value: ${typeName(type)} })\`.`,
    });
  const of: Type = { kind: "reference", to: type, memory: "packet" };
  return { op: "packetAt", offset, type: { kind: "optional", of }, span: fc.span(node) };
}

function vocabularyCall(fc: FunctionChecker, name: string, node: CallExpression, wanted: Type | undefined): Expr {
  const scalar = SCALARS[name];
  if (scalar !== undefined) return cast(fc, name, scalar, node);
  if (SPECIAL.has(name)) return special(fc, name, node, wanted);
  const signature = HELPERS[name];
  if (signature === undefined)
    return fc.fail("EB2015", node, `\`${name}\` is not called within a program.`, {
      help: "It declares something: write it outside of functions, and give it a name.",
    });
  if (name === "cookie") fc.cx.asksCookie = true;
  const list = argumentsOf(fc, node, name, signature.params.length);
  const args = list.map((argument, i) => {
    const kind = signature.params[i];
    const given = value(fc, argument);
    return kind === "integer" ? asInteger(fc, given, argument) : given;
  });
  return { op: "helper", name, args, type: signature.result, span: fc.span(node) };
}

/** `u32(x)`: what does not fit is cut off. */
function cast(fc: FunctionChecker, name: string, type: Type, node: CallExpression): Expr {
  const [argument] = argumentsOf(fc, node, name, 1) as [Expression];
  const given = value(fc, argument);
  if (type.kind !== "int" && type.kind !== "bool") return fc.fail("TS2349", node, `\`${name}\` cannot be called.`);
  if (type.kind === "int" && type.bigEndian)
    return fc.fail(
      "TS2349",
      node,
      `\`${name}\` is how a field is stored; in a program its value is an ordinary u${type.bits}.`,
    );
  const span = fc.span(node);
  if (given.type.kind === "bool") {
    if (type.kind === "bool") return given;
    return { op: "convert", value: given, type, span };
  }
  const source: Expr =
    given.type.kind === "kernelPointer" || given.type.kind === "userPointer"
      ? { op: "convert", value: given, type: U64, span }
      : asInteger(fc, given, argument);
  if (type.kind === "bool") return { op: "convert", value: source, type, span };
  const { bits, signed } = type;
  const to: IntType = { kind: "int", bits, signed };
  if (source.op !== "number") return { op: "convert", value: source, type: to, span };
  const cut = signed ? BigInt.asIntN(bits, source.value) : BigInt.asUintN(bits, source.value);
  return { op: "number", value: cut, type: to, span };
}

function special(fc: FunctionChecker, name: string, node: CallExpression, wanted: Type | undefined): Expr {
  const span = fc.span(node);
  switch (name) {
    case "task": {
      argumentsOf(fc, node, name, 0);
      const kernel = fc.cx.kernel(span);
      const id = kernel.struct("task_struct");
      if (id === undefined) return fc.fail("EB4001", node, "This kernel's types have no task_struct.");
      return { op: "helper", name, args: [], type: kernel.pointerTo(id, "trusted"), span };
    }
    case "userStr":
    case "kernelStr":
      return textFrom(fc, name, node, wanted);
    case "readUser":
    case "readKernel": {
      const [address, descriptor] = argumentsOf(fc, node, name, 2) as [Expression, Expression];
      const type = typeOfDescriptor(fc.cx, fc.file, descriptor);
      const from = addressOf(fc, value(fc, address), address, name);
      if (type.kind === "int" || type.kind === "bool" || isAggregate(type))
        return { op: "helper", name, args: [from], type, span };
      return fc.fail("EB2001", descriptor, `\`${name}\` cannot read a ${typeName(type)}.`);
    }
    case "zeros": {
      const [descriptor] = argumentsOf(fc, node, name, 1) as [Expression];
      const type = typeOfDescriptor(fc.cx, fc.file, descriptor);
      if (isAggregate(type)) return { op: "helper", name, args: [], type, span };
      return fc.fail("EB2022", descriptor, `A ${typeName(type)} of zeros is 0.`, {
        help: "`zeros` makes structs, arrays, texts and bytes.",
      });
    }
    case "userStrInto":
    case "kernelStrInto":
    case "readUserInto":
    case "readKernelInto":
      return readInto(fc, name, node);
    case "cell": {
      const [at] = argumentsOf(fc, node, name, 1) as [Expression];
      const place = writable(fc, at);
      const { type } = place;
      if (type.kind !== "int" && type.kind !== "bool")
        return fc.fail("TS2345", at, `\`${fc.text(at)}\` is ${typeName(type)}: a cell holds a number or a boolean.`);
      if (place.base.kind === "context")
        return fc.fail("EB3109", at, `\`${fc.text(at)}\` is part of the program's context.`, {
          why: "It is this run's own: there is nothing to be atomic against.",
          help: "Assign to it.",
        });
      if (place.base.kind === "local")
        return fc.fail("EB3109", at, `\`${fc.text(at)}\` stands on this program's own stack.`, {
          why: "Nobody else sees it: there is nothing to be atomic against.",
          help: "Assign to it.",
        });
      return { op: "address", place, type: { kind: "cell", of: type, perCpu: false }, span };
    }
    case "min":
    case "max": {
      const [a, b] = argumentsOf(fc, node, name, 2) as [Expression, Expression];
      const left = asInteger(fc, value(fc, a), a);
      const right = asInteger(fc, value(fc, b), b);
      const signed = commonSign(left, right) ?? mixed(fc, left, right, node, [a, b]);
      return { op: "helper", name, args: [left, right], type: plain(signed), span };
    }
    case "abs": {
      const [argument] = argumentsOf(fc, node, name, 1) as [Expression];
      return { op: "helper", name, args: [asInteger(fc, value(fc, argument), argument)], type: plain(false), span };
    }
    case "print":
      return print(fc, node);
    case "exists":
      return { op: "boolean", value: exists(fc, node), type: BOOL, span };
    default:
      return fc.fail(
        "EB2016",
        node,
        name === "atMost"
          ? "`atMost(n)` stands in a loop's condition: `while (test && atMost(100))`."
          : "`range(…)` stands in a loop: `for (const i of range(0, n))`.",
      );
  }
}

/** A place of the program's own memory, and how many bytes of it; what helpers copy to and from. */
export function memoryArgument(
  fc: FunctionChecker,
  at: Expression,
  length: Expression | undefined,
): { readonly place: Place; readonly length: Expr | undefined } {
  const place = writable(fc, at);
  const { type } = place;
  if (!isAggregate(type))
    return fc.fail(
      "TS2345",
      at,
      `\`${fc.text(at)}\` is ${typeName(type)}: a struct, an array, a text or bytes are wanted.`,
    );
  const size = BigInt(sizeOf(type));
  const given = length === undefined ? undefined : asInteger(fc, value(fc, length), length);
  if (given?.op === "number" && (given.value < 0n || given.value > size))
    return fc.fail("EB3101", length ?? at, `\`${fc.text(at)}\` has ${size} bytes, and not ${given.value}.`);
  return { place, length: given };
}

/** `readUserInto(place, address, length?)`, `userStrInto(place, address)`, and the same of the kernel's memory. */
function readInto(fc: FunctionChecker, name: string, node: CallExpression): Expr {
  const isText = name.includes("Str");
  const [at, address, most] = argumentsOf(fc, node, name, 2, isText ? 2 : 3) as [Expression, Expression, Expression?];
  const { place, length } = memoryArgument(fc, at, most);
  const plain = name.replace("Into", "");
  const from = addressOf(fc, value(fc, address), address, plain);
  const space = plain === "userStr" || plain === "readUser" ? "user" : "kernel";
  return { op: "readInto", from: space, isText, place, address: from, length, type: I64, span: fc.span(node) };
}

/** A value as the address that a helper reads at. */
function addressOf(fc: FunctionChecker, given: Expr, node: Expression, helper: string): Expr {
  const { type } = given;
  const isUser = helper === "userStr" || helper === "readUser";
  if (type.kind === "int") return given;
  if (isUser && type.kind === "kernelPointer" && type.name !== "")
    return fc.fail("EB3106", node, `\`${fc.text(node)}\` points to kernel memory, not to the process's.`, {
      help: helper === "userStr" ? "Use `kernelStr`." : "Use `readKernel`, or read its fields.",
    });
  if (!isUser && type.kind === "userPointer")
    return fc.fail("EB3105", node, `\`${fc.text(node)}\` points to memory of the process.`, {
      help: helper === "kernelStr" ? "Use `userStr`." : "Use `readUser`.",
    });
  if (type.kind === "kernelPointer" || type.kind === "userPointer") return given;
  return fc.fail("TS2345", node, `\`${fc.text(node)}\` is ${typeName(type)}, and \`${helper}\` wants an address.`);
}

/** `userStr(address, max?)`: as long as where it goes, or as it says, or 64. */
function textFrom(fc: FunctionChecker, name: string, node: CallExpression, wanted: Type | undefined): Expr {
  const [address, most] = argumentsOf(fc, node, name, 1, 2) as [Expression, Expression?];
  let size = wanted?.kind === "str" ? wanted.size : 64;
  if (most !== undefined) {
    const limit = constantOf(fc.cx, fc.file, most);
    if (typeof limit !== "bigint" || limit < 1n || limit > 4096n)
      return fc.fail(
        "EB2002",
        most,
        `The longest text \`${name}\` reads is from 1 to 4096 bytes; this is ${shown(limit)}.`,
      );
    size = Number(limit);
  }
  // A text that is a member of a kernel struct is copied from there; a `char *` is followed.
  const given = value(fc, address);
  const isMember = name === "kernelStr" && given.type.kind === "str" && given.op === "read";
  const from = isMember ? given : addressOf(fc, given, address, name);
  return { op: "helper", name, args: [from], type: { kind: "str", size }, span: fc.span(node) };
}

/** `print("…")`, `` print(`pid ${pid()}`) ``, `print("pid", pid())`. */
function print(fc: FunctionChecker, node: CallExpression): Expr {
  const texts = [""];
  const values: Expr[] = [];
  const text = (more: string) => {
    texts[texts.length - 1] += more;
  };
  const field = (part: Expression) => {
    const given = contentOf(value(fc, part));
    if (given.op === "string") return text(new TextDecoder().decode(given.bytes));
    const { type } = given;
    if (
      type.kind !== "int" &&
      type.kind !== "bool" &&
      type.kind !== "str" &&
      type.kind !== "kernelPointer" &&
      type.kind !== "userPointer"
    )
      return fc.fail("EB2017", part, `A ${typeName(type)} cannot be printed.`, { help: "Print its fields." });
    values.push(given);
    texts.push("");
  };
  for (const [i, argument] of argumentsOf(fc, node, "print", 1, 12).entries()) {
    if (i > 0) text(" ");
    if (argument.type === "TemplateLiteral") {
      for (const [j, quasi] of argument.quasis.entries()) {
        text(quasi.value.cooked ?? quasi.value.raw);
        const part = argument.expressions[j];
        if (part !== undefined) field(part);
      }
    } else field(argument);
  }
  const { cx } = fc;
  const span = fc.span(node);
  const types = values.map(({ type }, i) => ({
    name: `v${i}`,
    type: type.kind === "int" || type.kind === "bool" || type.kind === "str" ? type : U64,
  }));
  const record = layStruct("", [{ name: "site", type: U32 }, ...types]);
  const site: PrintSite = { texts, record, span };
  const number: Expr = { op: "number", value: BigInt(cx.prints.length), type: U32, span };
  cx.prints.push(site);
  const fields = record.fields.map(({ name, offset, type }, i) => {
    const given = i === 0 ? number : (values[i - 1] as Expr);
    return { offset, type, value: coerce(fc, given, type, node, { what: `value \`${name}\`` }) };
  });
  return {
    op: "print",
    map: cx.printRing(span),
    site,
    value: { op: "object", type: record, fields, span },
    type: VOID,
    span,
  };
}

function functionCall(fc: FunctionChecker, callee: FunctionDecl | undefined, node: CallExpression): Expr {
  if (callee === undefined) return abandon();
  const list = argumentsOf(fc, node, callee.name, callee.params.length);
  const args = list.map((argument, i) => {
    const param = callee.params[i];
    if (param === undefined) return abandon();
    const { type, name } = param;
    const of = type.kind === "reference" ? type.to : type;
    const given = expr(fc, argument, of);
    if (type.kind === "reference" && given.type.kind !== "reference")
      return coerce(
        fc,
        coerce(fc, given, of, argument, { what: `parameter \`${name}\``, code: "TS2345" }),
        type,
        argument,
        { what: `parameter \`${name}\``, code: "TS2345" },
      );
    return coerce(fc, given, type, argument, { what: `parameter \`${name}\``, code: "TS2345" });
  });
  return { op: "call", callee, args, type: callee.result, span: fc.span(node) };
}

/** An argument of a method, as one of a type. */
export function argument(fc: FunctionChecker, node: Expression, type: Type, what: string): Expr {
  return valueFor(fc, node, type, what, "TS2345");
}
