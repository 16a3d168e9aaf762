import { sizeOf, type Type, U8 } from "../type.ts";

/** Whether values of the type are addresses, null when they are not there. */
export function isPointer(type: Type): boolean {
  switch (type.kind) {
    case "reference":
    case "cell":
    case "kernelPointer":
      return true;
    case "optional":
      return isPointer(type.of);
    default:
      return false;
  }
}

/** Whether the type is an optional that a register cannot say the absence of: it takes two values. */
export function pairs(type: Type): boolean {
  return type.kind === "optional" && !isPointer(type.of) && type.of.kind !== "optional";
}

/** The type of what an optional holds; other types are themselves. */
export function unwrapType(type: Type): Type {
  return type.kind === "optional" ? type.of : type;
}

/** What an optional or a reference holds. */
export function contentOf(type: Type): Type {
  if (type.kind === "optional") return contentOf(type.of);
  return type.kind === "reference" ? type.to : type;
}

/** What stands side by side in an array; of texts and bytes, the bytes. */
export function elementOf(type: Type): Type {
  return type.kind === "array" ? type.element : U8;
}

/** Whether values of both types stand in memory in the same way. */
export function sameLayout(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind !== b.kind || sizeOf(a) !== sizeOf(b)) return false;
  if (a.kind === "array" && b.kind === "array") return a.length === b.length && sameLayout(a.element, b.element);
  if (a.kind === "int" && b.kind === "int") return a.bigEndian === b.bigEndian;
  if (a.kind !== "struct" || b.kind !== "struct") return true;
  return (
    a.fields.length === b.fields.length &&
    a.fields.every((field, i) => {
      const other = b.fields[i];
      return other !== undefined && field.offset === other.offset && sameLayout(field.type, other.type);
    })
  );
}
