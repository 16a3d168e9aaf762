import type { BinaryName, Expr } from "../hir.ts";
import type { BinaryOp, Inst, Size } from "../ssa/ir.ts";
import type { BoolType, IntType, Type } from "../type.ts";
import type { Lowering } from "./lowering.ts";
import { value } from "./value.ts";

export function binaryOp(name: BinaryName, signed: boolean): BinaryOp {
  switch (name) {
    case "div":
      return signed ? "sdiv" : "udiv";
    case "mod":
      return signed ? "smod" : "umod";
    case "shr":
      return signed ? "ashr" : "lshr";
    case "ushr":
      return "lshr";
    default:
      return name;
  }
}

export function binary(l: Lowering, name: BinaryName, signed: boolean, left: Inst, right: Inst): Inst {
  return l.b.binary(binaryOp(name, signed), left, right);
}

/** A value of one type as what it is in another: cut off, extended; any number as a boolean. */
export function convert(l: Lowering, given: Inst, from: Type, to: IntType | BoolType): Inst {
  if (to.kind === "bool") {
    if (from.kind === "bool") return given;
    return l.truth("ne", given, l.zero());
  }
  return holds(to, from) ? given : extended(l, to, given);
}

/** The lower bits of a register as registers have a number of the type; other types are what they are. */
export function extended({ b }: Lowering, type: Type, given: Inst): Inst {
  if (type.kind !== "int" || type.bits === 64) return given;
  const size = (type.bits / 8) as Size;
  return type.signed ? b.sext(given, size) : b.zext(given, size);
}

/** Whether every value of a type is one of the other, as registers have them. */
export function holds(to: IntType, from: Type): boolean {
  if (from.kind === "bool") return true;
  if (from.kind !== "int") return false;
  if (from.signed === to.signed) return from.bits <= to.bits;
  return to.signed && from.bits < to.bits;
}

export function proven(l: Lowering, expr: Expr & { readonly op: "fit" }): Inst {
  const given = value(l, expr.value);
  const { type } = expr;
  const from = expr.value.type;
  if (holds(type, from)) return given;
  const name = `${type.signed ? "i" : "u"}${type.bits}`;
  // 64 bits hold all that a register does; whether they are meant with a sign is what is to be proven.
  return l.b.fits(given, (type.bits / 8) as Size, type.signed, {
    code: "EB2205",
    message: `this may be {range}, but ${expr.what} holds ${name}`,
    why: "A value that does not fit would lose its upper bits without a word.",
    help: `Write \`${name}(…)\` to cut it off, mask it, or test it before.`,
  });
}
