import type { Expr, Local, Place } from "../hir.ts";
import type { StructType, Type } from "../type.ts";
import { isAggregate, sizeOf, U8, U64 } from "../type.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { holds, inRange, isAddress } from "./integers.ts";
import { contentOf, placeOf, temporaryPlace } from "./places.ts";
import type { Placed } from "./report.ts";
import { sameType, typeName } from "./type-names.ts";

/** Arrays up to this length are converted element by element. */
const MOST_ELEMENTS = 64;

/** Where a value goes: how messages call it, and the code tsc has for what does not go there. */
export interface Destination {
  readonly what: string;
  readonly code?: string;
}

/** A value as one of a type: as it is, extended, or to be proven to fit. What tsc refuses is refused. */
export function coerce(
  fc: FunctionChecker,
  value: Expr,
  to: Type,
  node: Placed,
  { what, code = "TS2322" }: Destination,
): Expr {
  const { type: from, span } = value;
  if (to.kind === "optional") {
    if (value.op === "undefined") return { ...value, type: to };
    if (from.kind === "optional") {
      if (sameType(from.of, to.of)) return value;
      if (from.of.kind !== "int" || to.of.kind !== "int") return refuse(fc, value, to, node, what, code);
      // `u32 | undefined` as `u64 | undefined`: what is there is extended.
      const bound: Local = { name: fc.text(node), type: from.of, mutable: false, span };
      const then = coerce(fc, { op: "local", local: bound, type: from.of, span }, to.of, node, { what, code });
      return { op: "chain", value, bound, then, type: to, span };
    }
    const inner = coerce(fc, value, to.of, node, { what, code });
    return { op: "wrap", value: inner, type: to, span };
  }
  if (from.kind === "optional" || value.op === "undefined") return absent(fc, value, node);
  if (to.kind === "int") {
    if (from.kind === "int") {
      if (value.op === "number" && from.plain) {
        if (inRange(value.value, to)) return { ...value, type: to };
        return fc.fail("EB2206", node, `${value.value} does not go into ${what}, which holds ${typeName(to)}.`);
      }
      if (from.plain) {
        const whole = to.bits === 64 && to.signed === from.signed;
        return whole ? ({ ...value, type: to } as Expr) : { op: "fit", value, type: to, what, span };
      }
      if (holds(to, from)) return value;
      return fc.fail(code, node, `\`${fc.text(node)}\` is ${typeName(from)}, and ${what} holds ${typeName(to)}.`, {
        help: `Convert it: \`${to.signed ? "i" : "u"}${to.bits}(${fc.text(node)})\`; what does not fit is cut off.`,
      });
    }
    if (isAddress(from) && to.bits === 64 && !to.signed) return { op: "convert", value, type: U64, span };
    return refuse(fc, value, to, node, what, code);
  }
  if (to.kind === "userPointer" && from.kind === "int") return value;
  if (to.kind === "str" && value.op === "string") {
    if (value.bytes.length < to.size) return { ...value, type: to };
    return fc.fail(
      "EB2209",
      node,
      `The text has ${value.bytes.length} bytes, and ${what} has room for ${to.size - 1} and the NUL behind them.`,
    );
  }
  // A text of a tracepoint's record is as long as the record says: it is cut where it goes.
  if (to.kind === "str" && value.op === "helper" && value.name === "dataLocStr") return { ...value, type: to };
  if (value.op === "elements" && (to.kind === "array" || to.kind === "bytes"))
    return coerceElements(fc, value, to, node, what);
  if (from.kind === "reference" && isAggregate(to)) return coerce(fc, contentOf(value), to, node, { what, code });
  if (to.kind === "reference" && from.kind !== "reference" && sameType(from, to.to) && isAggregate(from))
    return { op: "address", place: ownPlace(value), type: to, span };
  if (to.kind === "reference" && from.kind === "reference")
    return sameType(to.to, from.to) ? value : refuse(fc, value, to, node, what, code);
  if (to.kind === "struct" && from.kind === "struct" && !sameType(to, from))
    return coerceStruct(fc, value, to, node, what);
  if (to.kind === "array" && from.kind === "array" && to.length === from.length && to.length <= MOST_ELEMENTS)
    return convertElements(fc, value, to, node, what);
  if (to.kind === "kernelPointer" && from.kind === "kernelPointer")
    return to.type === from.type || to.type === 0 ? value : refuse(fc, value, to, node, what, code);
  if (sameType(to, from)) return value;
  return refuse(fc, value, to, node, what, code);
}

/** Refuses an optional where its value is wanted. */
export function absent(fc: FunctionChecker, value: Expr, node: Placed): never {
  const source = value.op === "local" ? `\`${value.local.name}\`` : `\`${fc.text(node)}\``;
  return fc.fail("EB2101", node, `${source} may be undefined here.`, {
    why: "What is looked up may not be there, and the kernel refuses programs that do not look first.",
    help: "Test it before: `if (x === undefined) return;`, or give another value: `x ?? 0`.",
  });
}

/** The same where programs may read and write it: of the context, and of the kernel's own memory, a copy. */
function ownPlace(value: Expr): Place {
  const place = placeOf(value);
  const { base } = place;
  const isForeign = base.kind === "context" || (base.kind === "pointer" && base.pointer.type.kind === "kernelPointer");
  return isForeign ? temporaryPlace(value) : place;
}

/** A struct with the same fields in other places or of other widths: field by field. */
function coerceStruct(fc: FunctionChecker, value: Expr, to: StructType, node: Placed, what: string): Expr {
  const from = value.type as StructType;
  const missing = to.fields.find(({ name }) => !from.fields.some((field) => field.name === name));
  if (missing !== undefined)
    return fc.fail("TS2741", node, `Field \`${missing.name}\` of ${what} is missing in \`${fc.text(node)}\`.`);
  const place = placeOf(value);
  const { span } = value;
  return {
    op: "object",
    type: to,
    span,
    fields: to.fields.map((field) => {
      const source = from.fields.find(({ name }) => name === field.name);
      if (source === undefined) return refuse(fc, value, to, node, what, "TS2322");
      const read: Expr = {
        op: "read",
        place: { ...place, offset: place.offset + source.offset, type: source.type },
        type: source.type,
        span,
      };
      const fieldValue = coerce(fc, read, field.type, node, { what: `field \`${field.name}\`` });
      return { offset: field.offset, type: field.type, value: fieldValue };
    }),
  };
}

/** An array of other integers: one by one. */
function convertElements(
  fc: FunctionChecker,
  value: Expr,
  to: Extract<Type, { kind: "array" }>,
  node: Placed,
  what: string,
): Expr {
  if (sameType(value.type, to)) return value;
  const element = value.type.kind === "array" ? value.type.element : U8;
  const place = placeOf(value);
  const stride = sizeOf(element);
  const { span } = value;
  const values = Array.from({ length: to.length }, (_, i): Expr => {
    const at: Place = { ...place, offset: place.offset + i * stride, type: element };
    return coerce(fc, { op: "read", place: at, type: element, span }, to.element, node, { what });
  });
  return { op: "elements", values, type: to, span };
}

function coerceElements(
  fc: FunctionChecker,
  value: Extract<Expr, { op: "elements" }>,
  to: Extract<Type, { kind: "array" | "bytes" }>,
  node: Placed,
  what: string,
): Expr {
  const [length, element] = to.kind === "bytes" ? [to.size, U8 as Type] : [to.length, to.element];
  if (value.values.length !== length)
    return fc.fail("EB2210", node, `${what} has ${length} elements, and ${value.values.length} are given.`);
  const values = value.values.map((one) => coerce(fc, one, element, node, { what: `an element of ${what}` }));
  return { op: "elements", values, type: to, span: value.span };
}

function refuse(fc: FunctionChecker, value: Expr, to: Type, node: Placed, what: string, code: string): never {
  return fc.fail(code, node, `\`${fc.text(node)}\` is ${typeName(value.type)}, and ${what} wants ${typeName(to)}.`);
}
