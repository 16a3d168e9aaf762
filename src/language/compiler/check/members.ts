import type { BindingIdentifier, ObjectPattern } from "@oxc-project/types";
import type { Expr, Place } from "../hir.ts";
import {
  type CellType,
  isAggregate,
  type KernelPointer,
  type ReferenceType,
  sizeOf,
  type Type,
  U8,
  U32,
  U64,
} from "../type.ts";
import { absent } from "./assign.ts";
import type { ContextField, ContextShape } from "./entity.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, number } from "./integers.ts";
import { contentOf, placeOf, pointerPlace, readPlace } from "./places.ts";
import type { Explanation, Placed } from "./report.ts";
import { typeName } from "./type-names.ts";

/** `object.name`. */
export function memberOf(fc: FunctionChecker, object: Expr, name: string, node: Placed, objectNode: Placed): Expr {
  const { type } = object;
  switch (type.kind) {
    case "optional":
      return absent(fc, object, objectNode);
    case "kernelPointer":
      return kernelMember(fc, object as Expr & { type: KernelPointer }, name, node, objectNode);
    case "reference": {
      if (type.to.kind !== "struct") return memberOf(fc, contentOf(object), name, node, objectNode);
      return fieldOf(fc, pointerPlace(object, type.to), name, node);
    }
    case "struct":
      return fieldOf(fc, placeOf(object), name, node);
    case "cell":
      if (name === "value") return readPlace(pointerPlace(object, type.of));
      break;
    case "str":
      if (name === "length") return { op: "textLength", text: object, type: U64, span: fc.span(node) };
      break;
    case "bytes":
    case "array":
      if (name === "length") return number(BigInt(type.kind === "bytes" ? type.size : type.length), fc.span(node));
      break;
    case "userPointer":
      return fc.fail(
        "EB3105",
        node,
        `\`${fc.text(objectNode)}\` points to memory of the process: it has no fields here.`,
        {
          why: "A program may read a process's memory only through the kernel, which checks that the page is there.",
          help: `Read it: \`readUser(${fc.text(objectNode)}, Type)\`, or \`userStr(${fc.text(objectNode)})\` for a text.`,
        },
      );
    default:
  }
  return noMember(fc, node, name, typeName(type), []);
}

function fieldOf(fc: FunctionChecker, place: Place, name: string, node: Placed): Expr {
  const struct = place.type;
  if (struct.kind !== "struct") return noMember(fc, node, name, typeName(struct), []);
  const field = struct.fields.find((one) => one.name === name);
  if (field === undefined)
    return noMember(
      fc,
      node,
      name,
      struct.name || "this struct",
      struct.fields.map((one) => one.name),
    );
  return readPlace({ ...place, offset: place.offset + field.offset, type: field.type, span: fc.span(node) });
}

/** A field of the program's context. */
export function contextField(fc: FunctionChecker, shape: ContextShape, name: string, node: Placed): Expr {
  return contextRead(fc, fieldOfContext(fc, shape, name, node), node);
}

/** A field of the program's context, by its name. */
export function fieldOfContext(fc: FunctionChecker, shape: ContextShape, name: string, node: Placed): ContextField {
  const field = shape.fields.get(name);
  if (field !== undefined) return field;
  const { tracepoint } = shape;
  if (tracepoint !== undefined && fc.cx.isAbsent({ of: "tracepoint", name: tracepoint, member: name }))
    return { offset: 0, type: U64 };
  return noMember(fc, node, name, shape.what, [...shape.fields.keys()]);
}

/** What `{ field: id }` takes out of a value. */
export function takenField(
  fc: FunctionChecker,
  property: ObjectPattern["properties"][number],
): { readonly field: string; readonly id: BindingIdentifier } {
  if (
    property.type === "Property" &&
    !property.computed &&
    property.key.type === "Identifier" &&
    property.value.type === "Identifier"
  )
    return { field: property.key.name, id: property.value };
  return fc.fail(
    "EB1008",
    property,
    "Fields are taken by their plain names here, without other values for what is missing.",
  );
}

/** Reads a part of the context. */
export function contextRead(fc: FunctionChecker, field: ContextField, node: Placed): Expr {
  const span = fc.span(node);
  if (field.argument !== undefined) {
    fc.cx.readsProbe = true;
    const number: Expr = { op: "number", value: BigInt(field.argument), type: U32, span };
    return { op: "helper", name: "usdtArgument", args: [number], type: field.type, span };
  }
  const base = { kind: "context", ...(field.writable === true && { writable: true as const }) } as const;
  const place: Place = { base, offset: field.offset, indices: [], type: field.type, span };
  if (field.nullable === true) {
    const pointer = readPlace(place);
    return { op: "wrap", value: pointer, type: { kind: "optional", of: pointer.type }, span };
  }
  if (field.dataLoc !== true) return readPlace(place);
  const word = readPlace({ ...place, type: U32 });
  return { op: "helper", name: "dataLocStr", args: [word], type: field.type, span };
}

/** `object[index]`. */
export function elementOf(
  fc: FunctionChecker,
  object: Expr,
  index: Expr,
  node: Placed,
  objectNode: Placed,
  indexNode: Placed,
): Expr {
  const target = contentOf(object);
  const { type } = target;
  if (type.kind === "optional") return absent(fc, target, objectNode);
  if (type.kind !== "array" && type.kind !== "bytes" && type.kind !== "str")
    return fc.fail("TS7053", node, `\`${fc.text(objectNode)}\` is ${typeName(type)}: it has no elements.`);
  const element = type.kind === "array" ? type.element : U8;
  const length = type.kind === "array" ? type.length : type.size;
  const place = placeOf(target);
  const stride = sizeOf(element);
  const value = asInteger(fc, index, indexNode);
  const span = fc.span(node);
  if (value.op === "number") {
    if (value.value < 0n || value.value >= BigInt(length))
      return fc.fail(
        "EB3101",
        indexNode,
        `Index ${value.value} is none of \`${fc.text(objectNode)}\`, which has ${length} elements.`,
      );
    return readPlace({ ...place, offset: place.offset + Number(value.value) * stride, type: element, span });
  }
  if (place.base.kind === "context")
    return fc.fail("EB3107", indexNode, "An index into the context must be known when the program is compiled.", {
      why: "The kernel rewrites reads of the context one by one; it refuses an address that is computed.",
      help: "Write a `switch` over the index with one read for each.",
    });
  const what = fc.text(objectNode);
  return readPlace({
    ...place,
    indices: [...place.indices, { index: value, stride, length, what }],
    type: element,
    span,
  });
}

function kernelMember(
  fc: FunctionChecker,
  object: Expr & { type: KernelPointer },
  name: string,
  node: Placed,
  objectNode: Placed,
): Expr {
  const kernel = fc.cx.kernel(fc.span(node));
  const { type: id, name: struct } = object.type;
  if (id === 0 || !kernel.isStruct(id))
    return fc.fail(
      "TS2339",
      node,
      `\`${fc.text(objectNode)}\` is an address in the kernel: it has no member \`${name}\`.`,
      {
        help: `Read what is there: \`readKernel(${fc.text(objectNode)}, Type)\`, or \`kernelStr(${fc.text(objectNode)})\` for a text.`,
      },
    );
  const member = kernel.member(id, name);
  if (member === undefined) {
    const matters = !fc.cx.isAbsent({ of: "struct", name: struct, member: name });
    return matters ? noMember(fc, node, name, `struct ${struct}`, kernel.memberNames(id)) : number(0n, fc.span(node));
  }
  const span = fc.span(node);
  // Structs within structs: the address goes on from where the outer one begins.
  const outer: Place =
    object.op === "address" && object.place.base.kind === "pointer" ? object.place : pointerPlace(object, object.type);
  const type = kernel.typeOf(member.type, "walked");
  if (type === undefined)
    return fc.fail(
      "EB2301",
      node,
      `Member \`${name}\` of struct ${struct} is of a type that kernel TypeScript cannot read.`,
    );
  const path = outer.access === undefined ? `0:${member.path}` : `${outer.access.path}:${member.path}`;
  const access = { type: outer.access?.type ?? id, path };
  if (member.bitSize !== 0) return bitField(outer, member, type, access, span);
  const place: Place = { ...outer, offset: outer.offset + member.bitOffset / 8, type, access, span };
  if (type.kind === "kernelPointer" && kernel.isStruct(member.type)) return { op: "address", place, type, span };
  return readPlace(place);
}

/** Bits of an integer: the smallest aligned word that has them all. */
function bitField(
  outer: Place,
  member: { bitOffset: number; bitSize: number; type: number },
  type: Type,
  access: NonNullable<Place["access"]>,
  span: Expr["span"],
): Expr {
  const signed = type.kind === "int" && type.signed;
  let bits: 8 | 16 | 32 | 64 = 8;
  let start = 0;
  for (const width of [8, 16, 32, 64] as const) {
    bits = width;
    start = Math.floor(member.bitOffset / width) * width;
    if (member.bitOffset + member.bitSize <= start + width) break;
  }
  const place: Place = {
    ...outer,
    offset: outer.offset + start / 8,
    type: { kind: "int", bits, signed: false },
    bits: { shift: member.bitOffset - start, width: member.bitSize, signed },
    access,
    span,
  };
  const holder: 8 | 16 | 32 | 64 = member.bitSize <= 8 ? 8 : member.bitSize <= 16 ? 16 : member.bitSize <= 32 ? 32 : 64;
  const value: Type = type.kind === "bool" ? type : { kind: "int", bits: holder, signed };
  return { op: "read", place, type: value, span };
}

function noMember(fc: FunctionChecker, node: Placed, name: string, of: string, names: readonly string[]): never {
  const all = names.length > 0 && names.length <= 20 ? listed(names) : undefined;
  return fc.fail("TS2339", node, `There is no \`${name}\` in ${of}.`, meant(name, names, all));
}

/** What there is, for an error's help. */
export function listed(names: readonly string[]): string {
  return `It has ${names.map((one) => `\`${one}\``).join(", ")}.`;
}

/** Asks whether the name was meant that is most like a mistyped one; `otherwise` is the help when none is. */
export function meant(name: string, names: Iterable<string>, otherwise?: string): Explanation {
  const near = nearest(name, names);
  const help = near === undefined ? otherwise : `Is \`${near}\` meant?`;
  return help === undefined ? {} : { help };
}

/** The name that is most like a mistyped one; undefined when none is. */
function nearest(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** An address as what may be changed in place: a reference to an aggregate, or a cell. */
export function referenceTo(type: Type, memory: ReferenceType["memory"], perCpu: boolean): ReferenceType | CellType {
  if (isAggregate(type)) return { kind: "reference", to: type, memory };
  return { kind: "cell", of: type as CellType["of"], perCpu };
}
