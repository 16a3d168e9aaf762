import type { CallExpression, Expression, TSType } from "@oxc-project/types";
import {
  alignOf,
  BOOL,
  I8,
  I16,
  I32,
  I64,
  isAggregate,
  type StructField,
  type StructType,
  sizeOf,
  type Type,
  U8,
  U16,
  U32,
  U64,
  VOID,
} from "../type.ts";
import type { Checker } from "./checker.ts";
import { constantOf, propertyName, shown } from "./constants.ts";
import { type Entity, entityOf, type FileScope } from "./entity.ts";
import { abandon } from "./report.ts";

/** Descriptors of `skep/kernel` that are types by themselves. */
export const SCALARS: Readonly<Record<string, Type>> = {
  u8: U8,
  u16: U16,
  u32: U32,
  u64: U64,
  i8: I8,
  i16: I16,
  i32: I32,
  i64: I64,
  u64n: { ...U64, decodesToNumber: true },
  i64n: { ...I64, decodesToNumber: true },
  be16: { ...U16, bigEndian: true },
  be32: { ...U32, bigEndian: true },
  be64: { ...U64, bigEndian: true },
  bool: BOOL,
};

/** Functions of `skep/kernel` that make a type. */
export const TYPE_MAKERS = new Set(["str", "bytes", "array", "struct"]);

/** The name in `skep/kernel` of what a call calls. */
export function vocabularyCallee(file: FileScope, node: CallExpression): string | undefined {
  const entity = entityOf(file, node.callee);
  return entity?.kind === "vocabulary" ? entity.name : undefined;
}

/** The type that a name stands for; undefined when it is none's. */
export function typeOfEntity(entity: Entity | undefined): Type | undefined {
  if (entity?.kind === "type") return entity.type;
  return entity?.kind === "vocabulary" ? SCALARS[entity.name] : undefined;
}

/** The arguments of a declaration, none of them spread. */
export function argumentsWritten(cx: Checker, file: FileScope, node: CallExpression): Expression[] {
  return node.arguments.map((one) =>
    one.type === "SpreadElement"
      ? cx.report.fail("EB1005", cx.span(file, one), "Arguments are written out one by one here.")
      : one,
  );
}

/** The type that a descriptor expression makes: `u32`, `str(16)`, `struct({ … })`, or a name for one. */
export function typeOfDescriptor(cx: Checker, file: FileScope, node: Expression, name = ""): Type {
  const entity = entityOf(file, node);
  if (entity?.kind === "broken") return abandon();
  const known = typeOfEntity(entity);
  if (known !== undefined) return known;
  if (node.type === "CallExpression") {
    const callee = vocabularyCallee(file, node);
    if (callee === "str" || callee === "bytes") return { kind: callee, size: lengthOf(cx, file, node, 0, callee) };
    if (callee === "array") {
      const [of] = node.arguments;
      if (of === undefined || of.type === "SpreadElement") return noType(cx, file, node);
      return { kind: "array", element: typeOfDescriptor(cx, file, of), length: lengthOf(cx, file, node, 1, "array") };
    }
    if (callee === "struct") return structOf(cx, file, node, name);
  }
  return noType(cx, file, node);
}

function noType(cx: Checker, file: FileScope, node: Expression): never {
  return cx.report.fail("EB2001", cx.span(file, node), "A type is wanted here.", {
    help: "Types are values of `skep/kernel`: `u8` to `u64`, `i8` to `i64`, `be16` to `be64`, `bool`, `str(n)`, `bytes(n)`, `array(type, n)`, `struct({ … })`.",
  });
}

function lengthOf(cx: Checker, file: FileScope, node: CallExpression, position: number, what: string): number {
  const argument = node.arguments[position];
  if (argument === undefined || argument.type === "SpreadElement")
    return cx.report.fail("TS2554", cx.span(file, node), `\`${what}\` needs a length.`);
  const value = constantOf(cx, file, argument);
  if (typeof value !== "bigint" || value < 1n || value > 0x3fff_ffffn)
    return cx.report.fail(
      "EB2002",
      cx.span(file, argument),
      `A length is a number from 1 on; this is ${shown(value)}.`,
    );
  return Number(value);
}

function structOf(cx: Checker, file: FileScope, node: CallExpression, name: string): StructType {
  const [body] = node.arguments;
  if (body?.type !== "ObjectExpression")
    return cx.report.fail("EB2003", cx.span(file, node), "`struct` takes an object with a type for each field.", {
      help: "For example `struct({ pid: u32, comm: str(16) })`.",
    });
  const fields: { name: string; type: Type }[] = [];
  for (const property of body.properties) {
    const key = property.type === "Property" && !property.computed ? propertyName(property.key) : undefined;
    if (property.type !== "Property" || key === undefined)
      return cx.report.fail("EB2003", cx.span(file, property), "A field of a struct has a plain name and a type.");
    if (/^(0|[1-9]\d*)$/.test(key))
      return cx.report.fail(
        "EB2003",
        cx.span(file, property),
        `A field cannot be called "${key}": such keys lose their place in an object.`,
      );
    fields.push({ name: key, type: typeOfDescriptor(cx, file, property.value) });
  }
  if (fields.length === 0) return cx.report.fail("EB2003", cx.span(file, node), "A struct needs at least one field.");
  return layStruct(name, fields);
}

/** Lays fields out as C does. */
export function layStruct(name: string, fields: readonly { readonly name: string; readonly type: Type }[]): StructType {
  const placed: StructField[] = [];
  let offset = 0;
  let align = 1;
  for (const field of fields) {
    const own = alignOf(field.type);
    offset = Math.ceil(offset / own) * own;
    placed.push({ name: field.name, offset, type: field.type });
    offset += sizeOf(field.type);
    align = Math.max(align, own);
  }
  return { kind: "struct", name, size: Math.ceil(offset / align) * align, align, fields: placed };
}

/** The type that an annotation names: `u32`, `boolean`, `Kernel<typeof Open>`, `u64 | undefined`, a struct of `btf:vmlinux`. */
export function typeOfAnnotation(cx: Checker, file: FileScope, node: TSType): Type {
  switch (node.type) {
    case "TSBooleanKeyword":
      return BOOL;
    case "TSVoidKeyword":
    case "TSUndefinedKeyword":
      return VOID;
    case "TSParenthesizedType":
      return typeOfAnnotation(cx, file, node.typeAnnotation);
    case "TSNumberKeyword":
      return cx.report.fail(
        "EB2004",
        cx.span(file, node),
        "`number` does not say how many bits, and whether it has a sign.",
        {
          help: "Write `u8` to `u64` or `i8` to `i64`; or leave the annotation out: the type follows from the value.",
        },
      );
    case "TSUnionType": {
      const others = node.types.filter(({ type }) => type !== "TSUndefinedKeyword");
      const [only] = others;
      if (others.length !== 1 || only === undefined || node.types.length !== 2) break;
      return { kind: "optional", of: typeOfAnnotation(cx, file, only) };
    }
    case "TSTypeReference": {
      if (node.typeName.type !== "Identifier") break;
      return typeOfReference(cx, file, node.typeName.name, node);
    }
    case "TSImportType": {
      const name = node.qualifier?.type === "Identifier" ? node.qualifier.name : undefined;
      if (!node.source.value.startsWith("btf:") || name === undefined) break;
      return kernelStruct(cx, file, name, node);
    }
    default:
  }
  return cx.report.fail("EB2005", cx.span(file, node), "Kernel TypeScript has no such type.", {
    help: "Types are `u8` to `u64`, `i8` to `i64`, `boolean`, `Kernel<typeof Struct>`, `UserPtr`, structs of `btf:vmlinux`, and one of these `| undefined`.",
  });
}

/** A parameter of this type is a reference, where values of it live in memory. */
export function asParameter(type: Type): Type {
  return isAggregate(type) ? { kind: "reference", to: type, memory: "map" } : type;
}

function typeOfReference(
  cx: Checker,
  file: FileScope,
  name: string,
  node: Extract<TSType, { type: "TSTypeReference" }>,
): Type {
  const entity = file.names.get(name);
  const [argument] = node.typeArguments?.params ?? [];
  if (entity?.kind === "kernelType") return kernelStruct(cx, file, entity.name, node);
  if (entity?.kind === "vocabulary") {
    const scalar = SCALARS[entity.name];
    if (scalar !== undefined) return scalar;
    if (entity.name === "UserPtr") return { kind: "userPointer" };
    if (entity.name === "Str" || entity.name === "Bytes") {
      const size =
        argument?.type === "TSLiteralType" && argument.literal.type === "Literal" ? argument.literal.value : undefined;
      if (typeof size === "number") return { kind: entity.name === "Str" ? "str" : "bytes", size };
    }
    if (entity.name === "Kernel" && argument?.type === "TSTypeQuery" && argument.exprName.type === "Identifier") {
      const of = typeOfEntity(file.names.get(argument.exprName.name));
      if (of !== undefined) return of;
    }
  }
  if (entity === undefined) return cx.report.fail("TS2304", cx.span(file, node), `There is no type \`${name}\`.`);
  return cx.report.fail("EB2005", cx.span(file, node), `\`${name}\` is no type of kernel TypeScript.`, {
    ...(entity.kind === "type" && { help: `For the type of a descriptor write \`Kernel<typeof ${name}>\`.` }),
  });
}

function kernelStruct(cx: Checker, file: FileScope, name: string, node: TSType): Type {
  const span = cx.span(file, node);
  const kernel = cx.kernel(span);
  const id = kernel.struct(name);
  if (id === undefined) return cx.report.fail("TS2694", span, `The kernel has no struct \`${name}\`.`);
  return kernel.pointerTo(id, "walked");
}
