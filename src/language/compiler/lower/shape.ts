import { isAggregate, sizeOf, type Type } from "../type.ts";

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

/** Whether it is an optional of something that lives in memory. */
export function pairsMemory(type: Type): boolean {
  return type.kind === "optional" && isAggregate(type.of);
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
