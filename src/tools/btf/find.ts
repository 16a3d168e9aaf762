import { type Btf, printDeclaration, printType } from "../../sdk/index.ts";

/** One member of a struct or union. */
export interface FoundField {
  readonly declaration: string;
  /** From the beginning of the whole. */
  readonly bitOffset: number;
  /** Bits of a bit-field; undefined for others. */
  readonly bits?: number;
  /** Bytes; undefined for a bit-field and what has no size. */
  readonly size?: number;
  /** What is inside, for unnamed structs and unions; the places are from the beginning of the whole, too. */
  readonly fields?: readonly FoundField[];
}

/** What was found under a name (schema skep.btf-type/1). */
export interface FoundType {
  readonly schema: "skep.btf-type/1";
  readonly id: number;
  readonly kind: string;
  /** As C spells it. */
  readonly text: string;
  readonly size?: number;
  readonly fields?: readonly FoundField[];
  readonly values?: readonly { readonly name: string; readonly value: string }[];
}

/** A name that the types do not have. */
export class NotFoundError extends Error {
  override readonly name = "NotFoundError";
  readonly code = "SKEP_BTF_NOT_FOUND";
}

/**
 * Types by name (`task_struct`, also with `struct`, `union` or `enum` before it), or a field by its path
 * (`task_struct.se.vruntime`, through unnamed members, too). Throws NotFoundError.
 */
export function findTypes(btf: Btf, query: string): readonly FoundType[] {
  const [, keyword, path = ""] = /^(?:(struct|union|enum)\s+)?(.+)$/.exec(query.trim()) ?? [];
  const [name = "", ...fields] = path.split(".");
  const ids = btf.findAll(name).filter((id) => keyword === undefined || btf.kind(id).startsWith(keyword));
  if (ids.length === 0) throw new NotFoundError(`There is no type "${query.trim()}".${near(btf, name)}`);
  if (fields.length === 0) return ids.map((id) => describe(btf, id));
  const found = ids.flatMap((id) => {
    const field = fieldAt(btf, id, fields);
    return field === undefined ? [] : [describeField(btf, id, query.trim(), field)];
  });
  if (found.length === 0)
    throw new NotFoundError(
      `${name} has no field "${fields.join(".")}" (it has: ${ids.flatMap((id) => members(btf, id).map((one) => one.name)).join(", ") || "none"}).`,
    );
  return found;
}

interface Place {
  readonly type: number;
  readonly bitOffset: number;
  readonly bitSize: number;
}

interface NamedMember extends Place {
  readonly name: string;
}

/** Members with those of unnamed structs and unions among them. */
function members(btf: Btf, id: number, base = 0, depth = 0): readonly NamedMember[] {
  const type = btf.type(btf.resolve(id));
  if ((type.kind !== "struct" && type.kind !== "union") || depth > 32) return [];
  return type.members.flatMap((member) => {
    const bitOffset = base + member.bitOffset;
    return member.name === ""
      ? members(btf, member.type, bitOffset, depth + 1)
      : [{ name: member.name, type: member.type, bitOffset, bitSize: member.bitSize }];
  });
}

function fieldAt(btf: Btf, id: number, path: readonly string[]): Place | undefined {
  let at: Place = { type: id, bitOffset: 0, bitSize: 0 };
  for (const name of path) {
    const member = members(btf, at.type, at.bitOffset).find((one) => one.name === name);
    if (member === undefined) return undefined;
    at = member;
  }
  return at;
}

function describeField(btf: Btf, id: number, query: string, { type, bitOffset, bitSize }: Place): FoundType {
  const declaration = printDeclaration(btf, type, query.split(".").at(-1) ?? "");
  const size = bitSize > 0 ? undefined : sizeOf(btf, type);
  return {
    schema: "skep.btf-type/1",
    id,
    kind: "field",
    text: printType(btf, type),
    ...(size !== undefined && { size }),
    fields: [{ declaration, bitOffset, ...(bitSize > 0 && { bits: bitSize }), ...(size !== undefined && { size }) }],
  };
}

function describe(btf: Btf, id: number): FoundType {
  const type = btf.type(id);
  const size = sizeOf(btf, id);
  const base = {
    schema: "skep.btf-type/1" as const,
    id,
    kind: type.kind,
    ...(size !== undefined && { size }),
  };
  switch (type.kind) {
    case "struct":
    case "union":
      return {
        ...base,
        text: `${type.kind} ${type.name}`,
        fields: fieldsOf(btf, id, 0, 0),
      };
    case "enum":
    case "enum64":
      return {
        ...base,
        text: `enum ${type.name}`,
        values: type.values.map(({ name, value }) => ({ name, value: String(value) })),
      };
    case "typedef":
      return { ...base, text: `typedef ${printDeclaration(btf, type.type, type.name)}` };
    case "function":
      return { ...base, text: printDeclaration(btf, type.type, type.name) };
    case "variable":
      return { ...base, text: printDeclaration(btf, type.type, type.name) };
    default:
      return { ...base, text: type.name };
  }
}

function fieldsOf(btf: Btf, id: number, base: number, depth: number): readonly FoundField[] {
  const type = btf.type(btf.resolve(id));
  if ((type.kind !== "struct" && type.kind !== "union") || depth > 32) return [];
  return type.members.map((member): FoundField => {
    const { name, bitSize } = member;
    const bitOffset = base + member.bitOffset;
    const inner = btf.type(btf.resolve(member.type));
    if (name === "" && (inner.kind === "struct" || inner.kind === "union"))
      return {
        declaration: `${inner.kind} {...}`,
        bitOffset,
        size: inner.size,
        fields: fieldsOf(btf, member.type, bitOffset, depth + 1),
      };
    const bytes = bitSize > 0 ? undefined : sizeOf(btf, member.type);
    return {
      declaration: `${printDeclaration(btf, member.type, name)}${bitSize > 0 ? ` : ${bitSize}` : ""}`,
      bitOffset,
      ...(bitSize > 0 && { bits: bitSize }),
      ...(bytes !== undefined && { size: bytes }),
    };
  });
}

function sizeOf(btf: Btf, id: number): number | undefined {
  try {
    return btf.sizeOf(id);
  } catch {
    // Functions and declarations have none.
    return undefined;
  }
}

/** Names that are meant, perhaps: those that differ in their case, or begin alike. */
function near(btf: Btf, name: string): string {
  if (name.length < 3) return "";
  const wanted = name.toLowerCase();
  const found = new Set<string>();
  for (let id = 1; id < btf.endId && found.size < 5; id++) {
    const other = btf.type(id).name;
    if (
      other !== "" &&
      (other.toLowerCase() === wanted || other.startsWith(`${name}_`) || name.startsWith(`${other}_`))
    )
      found.add(other);
  }
  return found.size === 0 ? "" : ` Meant, perhaps: ${[...found].join(", ")}.`;
}

/** The types as a person reads them, with places and sizes in bytes. */
export function formatTypes(types: readonly FoundType[]): string {
  return types.map(format).join("\n\n");
}

function format({ kind, text, size, fields, values }: FoundType): string {
  const bytes = size === undefined ? "" : `${size} byte${size === 1 ? "" : "s"}`;
  if (kind === "field") {
    const [field] = fields ?? [];
    if (field === undefined) return text;
    const at = place(field.bitOffset, field.bits !== undefined);
    return `${field.declaration};  at ${at}, ${field.bits === undefined ? bytes || "no size" : `${field.bits} bits`}`;
  }
  if (fields !== undefined) {
    const lines = linesOf(fields, 1);
    const width = Math.min(72, Math.max(0, ...lines.map(([declaration]) => declaration.length)));
    const body = lines.map(([declaration, at]) =>
      `${declaration.padEnd(width)}${at === "" ? "" : `  // ${at}`}`.trimEnd(),
    );
    return `${text} {  // ${bytes}\n${body.map((line) => `${line}\n`).join("")}};`;
  }
  if (values !== undefined)
    return `${text} {  // ${bytes}\n${values.map(({ name, value }) => `  ${name} = ${value},\n`).join("")}};`;
  return `${text};${bytes === "" ? "" : `  // ${bytes}`}`;
}

/** Declarations, indented, and what stands beside them. */
function linesOf(fields: readonly FoundField[], depth: number): (readonly [string, string])[] {
  const indent = "  ".repeat(depth);
  return fields.flatMap(({ declaration, bitOffset, bits, size, fields: inner }): (readonly [string, string])[] => {
    const at = `${place(bitOffset, bits !== undefined)}${size === undefined ? "" : `, ${size}`}`;
    if (inner === undefined) return [[`${indent}${declaration};`, at]];
    return [[`${indent}${declaration.replace("{...}", "{")}`, at], ...linesOf(inner, depth + 1), [`${indent}};`, ""]];
  });
}

function place(bitOffset: number, isBitField: boolean): string {
  return isBitField ? `${Math.floor(bitOffset / 8)}:${bitOffset % 8}` : `${bitOffset / 8}`;
}
