import type { Type } from "../type.ts";

/** A type as people read it in messages: `u32`, `str(16)`, `u64 | undefined`. */
export function typeName(type: Type): string {
  switch (type.kind) {
    case "int":
      return type.bigEndian ? `be${type.bits}` : `${type.signed ? "i" : "u"}${type.bits}`;
    case "bool":
      return "boolean";
    case "void":
      return "undefined";
    case "str":
    case "bytes":
      return `${type.kind}(${type.size})`;
    case "array":
      return `array(${typeName(type.element)}, ${type.length})`;
    case "struct":
      return type.name || `{ ${type.fields.map(({ name }) => name).join(", ")} }`;
    case "kernelPointer":
      return type.name || "kernel address";
    case "userPointer":
      return "UserPtr";
    case "reference":
      return typeName(type.to);
    case "cell":
      return `Cell<${typeName(type.of)}>`;
    case "optional":
      return `${typeName(type.of)} | undefined`;
  }
}

/** Whether two types are the same to the last byte and bit. */
export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind === "struct" && b.kind === "struct")
    return (
      a.size === b.size &&
      a.fields.length === b.fields.length &&
      a.fields.every((field, i) => {
        const other = b.fields[i];
        return field.name === other?.name && field.offset === other.offset && sameType(field.type, other.type);
      })
    );
  if (a.kind === "array" && b.kind === "array") return a.length === b.length && sameType(a.element, b.element);
  if (a.kind === "int" && b.kind === "int")
    return a.bits === b.bits && a.signed === b.signed && a.bigEndian === b.bigEndian;
  if (a.kind === "str" || a.kind === "bytes") return b.kind === a.kind && a.size === b.size;
  if (a.kind === "optional" && b.kind === "optional") return sameType(a.of, b.of);
  if (a.kind === "reference" && b.kind === "reference") return a.memory === b.memory && sameType(a.to, b.to);
  if (a.kind === "kernelPointer" && b.kind === "kernelPointer") return a.type === b.type;
  if (a.kind === "cell" && b.kind === "cell") return sameType(a.of, b.of);
  return a.kind === b.kind && (a.kind === "bool" || a.kind === "void" || a.kind === "userPointer");
}
