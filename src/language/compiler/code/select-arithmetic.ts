import { Alu, Class, Opcode } from "../../../object/asm/index.ts";
import { isCommutative, powerOfTwo } from "../ssa/fold.ts";
import type { Inst, Size } from "../ssa/ir.ts";
import { fitsImmediate } from "./constants.ts";
import { NONE } from "./machine.ts";
import type { Selector } from "./select.ts";
import { expandSignedDivision } from "./signed-division.ts";

const OPERATION: Readonly<Record<string, number>> = {
  add: Alu.ADD,
  sub: Alu.SUB,
  mul: Alu.MUL,
  udiv: Alu.DIV,
  umod: Alu.MOD,
  and: Alu.AND,
  or: Alu.OR,
  xor: Alu.XOR,
  shl: Alu.LSH,
  lshr: Alu.RSH,
  ashr: Alu.ARSH,
};

/** An operation with two operands; `cls` says whether of 64 or 32 bits. Gives the virtual register of the result. */
export function selectBinary(s: Selector, inst: Inst, origin: Inst, cls: number): number {
  let [a, b] = inst.args as [Inst, Inst];
  const { op } = inst;
  if (a.op === "const" && b.op !== "const" && isCommutative(op)) [a, b] = [b, a];
  if (b.op === "const") return withConstant(s, inst, origin, a, b, cls);
  return s.aluOf(cls | (OPERATION[op] as number), origin, a, s.reg(b));
}

function withConstant(s: Selector, { op }: Inst, origin: Inst, a: Inst, b: Inst, cls: number): number {
  const operation = cls | (OPERATION[op] as number);
  const value = BigInt.asIntN(64, b.imm);
  const unsigned = BigInt.asUintN(64, value);
  switch (op) {
    case "shl":
    case "lshr":
    case "ashr":
      return s.aluOf(operation, origin, a, NONE, Number(unsigned & 63n));
    case "mul": {
      const power = powerOfTwo(unsigned);
      if (power > 0 && cls === Class.ALU64) return s.aluOf(cls | Alu.LSH, origin, a, NONE, power);
      break;
    }
    case "udiv": {
      // The verifier refuses to divide by an immediate 0.
      if (value === 0n) return s.constantReg(s.constants.int(0n), origin);
      const power = powerOfTwo(unsigned);
      if (power >= 0) return s.aluOf(cls | Alu.RSH, origin, a, NONE, power);
      break;
    }
    case "umod":
      if (value === 0n) return s.reg(a);
      if (powerOfTwo(unsigned) >= 0 && fitsImmediate(unsigned - 1n))
        return s.aluOf(cls | Alu.AND, origin, a, NONE, Number(unsigned - 1n));
      break;
    case "and":
      // In 32 bits, where the constant has no others: the rest becomes 0 as it should.
      if (unsigned === 0xffff_ffffn) return cutTo32(s, origin, a);
      if (unsigned > 0x7fff_ffffn && unsigned <= 0xffff_ffffn)
        return s.aluOf(Class.ALU | Alu.AND, origin, a, NONE, Number(unsigned) | 0);
      break;
    default:
  }
  if (cls === Class.ALU) return s.aluOf(operation, origin, a, NONE, Number(BigInt.asIntN(32, value)));
  if (fitsImmediate(value)) return s.aluOf(operation, origin, a, NONE, Number(value));
  return s.aluOf(operation, origin, a, s.reg(b));
}

export function selectZext(s: Selector, inst: Inst): void {
  const { patterns } = s;
  const source = inst.args[0] as Inst;
  if (inst.size === 8 || patterns.bits(source) <= inst.size * 8) s.define(inst, s.reg(source));
  else if (patterns.isComparedIn32(inst)) return;
  else if (inst.size < 4) {
    s.define(inst, s.aluOf(Class.ALU64 | Alu.AND, inst, source, NONE, inst.size === 1 ? 0xff : 0xffff));
  } else if (!patterns.isFused(source)) s.define(inst, cutTo32(s, inst, source));
  else if (source.op === "neg") s.define(inst, s.aluOf(Class.ALU | Alu.NEG, inst, source.args[0] as Inst, NONE));
  else s.define(inst, selectBinary(s, source, inst, Class.ALU));
}

function cutTo32(s: Selector, origin: Inst, source: Inst): number {
  return s.move(Class.ALU | Alu.MOV, origin, s.reg(source), 0);
}

/** A register whose low bytes are extended by their sign. */
export function signExtend(s: Selector, origin: Inst, source: number, size: Size): number {
  if (size === 8) return source;
  if (s.features.isaV4) return s.move(Class.ALU64 | Alu.MOV, origin, source, size * 8);
  const count = 64 - size * 8;
  const high = s.alu(Class.ALU64 | Alu.LSH, origin, source, NONE, count);
  return s.alu(Class.ALU64 | Alu.ARSH, origin, high, NONE, count);
}

export function selectBswap(s: Selector, inst: Inst): void {
  const source = inst.args[0] as Inst;
  if (inst.size === 1) s.define(inst, s.aluOf(Class.ALU64 | Alu.AND, inst, source, NONE, 0xff));
  // "To the order that this machine has not" reverses.
  else s.define(inst, s.aluOf(s.isLittleEndian ? Opcode.TO_BE : Opcode.TO_LE, inst, source, NONE, inst.size * 8));
}

export function selectSignedDivision(s: Selector, inst: Inst): void {
  const [a, b] = inst.args as [Inst, Inst];
  const value = b.op === "const" ? BigInt.asIntN(64, b.imm) : undefined;
  if (value === 0n) {
    s.define(inst, inst.op === "sdiv" ? s.constantReg(s.constants.int(0n), inst) : s.reg(a));
    return;
  }
  if (!s.features.isaV4) {
    s.define(inst, expandSignedDivision(s, inst, value));
    return;
  }
  const opcode = Class.ALU64 | (inst.op === "sdiv" ? Alu.DIV : Alu.MOD);
  const isImmediate = value !== undefined && fitsImmediate(value);
  s.define(inst, s.alu(opcode, inst, s.reg(a), isImmediate ? NONE : s.reg(b), isImmediate ? Number(value) : 0, 1));
}
