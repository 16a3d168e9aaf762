import { Alu, Class } from "../../../object/asm/index.ts";
import type { Inst } from "../ssa/ir.ts";
import { NONE } from "./machine.ts";
import type { Selector } from "./select.ts";

const { SUB, XOR, ARSH, DIV, MOD, NEG } = Alu;

/**
 * Signed division and remainder where the machine has only unsigned ones: of the absolute values, then the sign. `x ^ s - s`
 * with `s` = 0 or -1 takes or gives the sign without a branch. Division by 0 gives 0, and x % 0 is x, as of themselves.
 */
export function expandSignedDivision(selector: Selector, inst: Inst, divisor: bigint | undefined): number {
  const [a, b] = inst.args as [Inst, Inst];
  const alu = (op: number, left: number, right: number, imm = 0) =>
    selector.alu(Class.ALU64 | op, inst, left, right, imm);
  const signOf = (value: number) => alu(ARSH, value, NONE, 63);
  const withSign = (value: number, sign: number) => alu(SUB, alu(XOR, value, sign), sign);

  const dividend = selector.reg(a);
  const sign = signOf(dividend);
  const size = withSign(dividend, sign);
  if (divisor !== undefined) {
    const absolute = divisor < 0n ? -divisor : divisor;
    const operation = inst.op === "sdiv" ? DIV : MOD;
    const result =
      absolute <= 0x7fff_ffffn
        ? alu(operation, size, NONE, Number(absolute))
        : alu(operation, size, selector.constantReg(selector.constants.int(absolute), inst));
    const signed = withSign(result, sign);
    return inst.op === "sdiv" && divisor < 0n ? alu(NEG, signed, NONE) : signed;
  }
  const other = selector.reg(b);
  const otherSign = signOf(other);
  const otherSize = withSign(other, otherSign);
  if (inst.op === "smod") return withSign(alu(MOD, size, otherSize), sign);
  return withSign(alu(DIV, size, otherSize), alu(XOR, sign, otherSign));
}
