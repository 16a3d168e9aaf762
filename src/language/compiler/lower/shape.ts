import { isAggregate, type Type } from "../type.ts";

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
