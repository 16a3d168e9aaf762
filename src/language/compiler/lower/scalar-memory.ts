import type { Inst, Size } from "../ssa/ir.ts";
import type { Type } from "../type.ts";
import { kindOf, type Lowering } from "./lowering.ts";
import { isPointer } from "./shape.ts";

/** How a scalar stands in memory. */
export interface ScalarShape {
  readonly size: Size;
  readonly signed: boolean;
  /** Its bytes are in the other order than the machine's. */
  readonly swapped: boolean;
}

export function shapeOf(l: Lowering, type: Type): ScalarShape {
  switch (type.kind) {
    case "int":
      return {
        size: (type.bits / 8) as Size,
        signed: type.signed,
        swapped: type.bigEndian === true && l.target.byteOrder === "little",
      };
    case "bool":
      return { size: 1, signed: false, swapped: false };
    default:
      return { size: 8, signed: false, swapped: false };
  }
}

/** The scalar at an address of the program's own memory or its context. */
export function loadScalar(l: Lowering, type: Type, base: Inst, offset: number): Inst {
  const { size, signed, swapped } = shapeOf(l, type);
  const got = l.b.load(base, offset, size, {
    signed: signed && !swapped,
    ...(isPointer(type) && { kind: kindOf(type), nullable: kindOf(type) === "kernel" }),
  });
  return swapped ? unswap(l, got, size, signed) : got;
}

export function unswap(l: Lowering, got: Inst, size: Size, signed: boolean): Inst {
  const swapped = l.b.bswap(got, size);
  return signed ? l.b.sext(swapped, size) : swapped;
}

export function storeScalar(l: Lowering, type: Type, base: Inst, offset: number, value: Inst): void {
  const { size, swapped } = shapeOf(l, type);
  l.b.store(base, offset, size, swapped ? l.b.bswap(value, size) : value);
}
