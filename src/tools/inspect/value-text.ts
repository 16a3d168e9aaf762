import type { Btf } from "../../sdk/index.ts";

/** A type of BTF; undefined for what has none. */
export interface TypeOf {
  readonly btf: Btf;
  readonly id: number;
}

/**
 * A decoded value as a person reads it: numbers, texts in quotes, bytes in hexadecimal, structs in braces; enums by their
 * names where the type is known.
 */
export function valueText(value: unknown, type?: TypeOf): string {
  if (value instanceof Uint8Array) return value.length === 0 ? "" : hexText(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" || typeof value === "bigint") return enumerator(value, type) ?? String(value);
  if (Array.isArray(value)) {
    const element = elementOf(type);
    return `[${value.map((item) => valueText(item, element)).join(", ")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const fields = Object.entries(value).map(([name, item]) => `${name}: ${valueText(item, memberOf(type, name))}`);
    return `{ ${fields.join(", ")} }`;
  }
  return String(value);
}

/** `0a 00 ff` */
export function hexText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function enumerator(value: number | bigint, type: TypeOf | undefined): string | undefined {
  const found = resolved(type);
  if (found === undefined || (found.kind !== "enum" && found.kind !== "enum64")) return undefined;
  return found.values.find((one) => BigInt(one.value) === BigInt(value))?.name;
}

function elementOf(type: TypeOf | undefined): TypeOf | undefined {
  const found = resolved(type);
  return type !== undefined && found?.kind === "array" ? { btf: type.btf, id: found.element } : undefined;
}

/** The type of a member by its name, also of those of unnamed structs and unions inside, or of a global variable of a section. */
function memberOf(type: TypeOf | undefined, name: string, depth = 0): TypeOf | undefined {
  const found = resolved(type);
  if (type === undefined || found === undefined || depth > 32) return undefined;
  const { btf } = type;
  if (found.kind === "section") {
    const variable = found.variables.map((one) => btf.type(one.type)).find((one) => one.name === name);
    return variable?.kind === "variable" ? { btf, id: variable.type } : undefined;
  }
  if (found.kind !== "struct" && found.kind !== "union") return undefined;
  for (const member of found.members) {
    if (member.name === name) return { btf, id: member.type };
    const inner = member.name === "" ? memberOf({ btf, id: member.type }, name, depth + 1) : undefined;
    if (inner !== undefined) return inner;
  }
  return undefined;
}

function resolved(type: TypeOf | undefined) {
  return type === undefined || type.id === 0 ? undefined : type.btf.type(type.btf.resolve(type.id));
}
