import { AsmError } from "./asm-error.ts";
import { InstructionList } from "./instruction-list.ts";
import { Alu, Class, Opcode, SOURCE_REGISTER } from "./opcode.ts";
import { destination, immediate, type Operand, source } from "./operand.ts";
import type { Register } from "./register.ts";

/**
 * Arithmetic (RFC 9669 sections 4.1 and 4.2). The plain names work on 64 bits, where an immediate is sign-extended; the
 * names with `32` work on the low 32 bits and clear the high ones.
 */
export class ArithmeticAssembler extends InstructionList {
  /** `dst += src`, wrapping. */
  add(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.ADD, dst, src);
  }

  /** `dst -= src`, wrapping. */
  sub(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.SUB, dst, src);
  }

  /** `dst *= src`, wrapping. */
  mul(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.MUL, dst, src);
  }

  /** `dst /= src`, unsigned; 0 when `src` is 0. */
  div(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.DIV, dst, src);
  }

  /** `dst /= src`, signed, toward zero; 0 when `src` is 0. ISA v4, Linux 6.6. */
  sdiv(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.DIV, dst, src, 1);
  }

  /** `dst %= src`, unsigned; `dst` stays when `src` is 0. */
  mod(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.MOD, dst, src);
  }

  /** `dst %= src`, signed, with the sign of `dst`; `dst` stays when `src` is 0. ISA v4, Linux 6.6. */
  smod(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.MOD, dst, src, 1);
  }

  /** `dst |= src`. */
  or(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.OR, dst, src);
  }

  /** `dst &= src`. */
  and(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.AND, dst, src);
  }

  /** `dst ^= src`. */
  xor(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.XOR, dst, src);
  }

  /** `dst <<= src`; only the low 6 bits of `src` count. */
  lsh(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.LSH, dst, src);
  }

  /** `dst >>= src`, filling with zeros; only the low 6 bits of `src` count. */
  rsh(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.RSH, dst, src);
  }

  /** `dst >>= src`, filling with the sign; only the low 6 bits of `src` count. */
  arsh(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.ARSH, dst, src);
  }

  /** `dst = src`. */
  mov(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU64 | Alu.MOV, dst, src);
  }

  /** `dst = -dst`, wrapping. */
  neg(dst: Register): this {
    return this.#unary(Class.ALU64 | Alu.NEG, dst, 0);
  }

  /** `dst = (s8)src`: sign-extends the low 8 bits to 64. ISA v4, Linux 6.6. */
  movsx8(dst: Register, src: Register): this {
    return this.#alu(Class.ALU64 | Alu.MOV, dst, src, 8);
  }

  /** `dst = (s16)src`: sign-extends the low 16 bits to 64. ISA v4, Linux 6.6. */
  movsx16(dst: Register, src: Register): this {
    return this.#alu(Class.ALU64 | Alu.MOV, dst, src, 16);
  }

  /** `dst = (s32)src`: sign-extends the low 32 bits to 64. ISA v4, Linux 6.6. */
  movsx32(dst: Register, src: Register): this {
    return this.#alu(Class.ALU64 | Alu.MOV, dst, src, 32);
  }

  /** `add` of 32 bits. */
  add32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.ADD, dst, src);
  }

  /** `sub` of 32 bits. */
  sub32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.SUB, dst, src);
  }

  /** `mul` of 32 bits. */
  mul32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.MUL, dst, src);
  }

  /** `div` of 32 bits. */
  div32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.DIV, dst, src);
  }

  /** `sdiv` of 32 bits. */
  sdiv32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.DIV, dst, src, 1);
  }

  /** `mod` of 32 bits. */
  mod32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.MOD, dst, src);
  }

  /** `smod` of 32 bits. */
  smod32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.MOD, dst, src, 1);
  }

  /** `or` of 32 bits. */
  or32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.OR, dst, src);
  }

  /** `and` of 32 bits. */
  and32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.AND, dst, src);
  }

  /** `xor` of 32 bits. */
  xor32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.XOR, dst, src);
  }

  /** `lsh` of 32 bits. */
  lsh32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.LSH, dst, src);
  }

  /** `rsh` of 32 bits. */
  rsh32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.RSH, dst, src);
  }

  /** `arsh` of 32 bits. */
  arsh32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.ARSH, dst, src);
  }

  /** `mov` of 32 bits. */
  mov32(dst: Register, src: Operand): this {
    return this.#alu(Class.ALU | Alu.MOV, dst, src);
  }

  /** `neg` of 32 bits. */
  neg32(dst: Register): this {
    return this.#unary(Class.ALU | Alu.NEG, dst, 0);
  }

  /** `dst = (s8)src`: sign-extends the low 8 bits to 32 and clears the rest. ISA v4, Linux 6.6. */
  movsx8To32(dst: Register, src: Register): this {
    return this.#alu(Class.ALU | Alu.MOV, dst, src, 8);
  }

  /** `dst = (s16)src`: sign-extends the low 16 bits to 32 and clears the rest. ISA v4, Linux 6.6. */
  movsx16To32(dst: Register, src: Register): this {
    return this.#alu(Class.ALU | Alu.MOV, dst, src, 16);
  }

  /** Swaps the bytes of the low `bits` and clears the rest. ISA v4, Linux 6.6. */
  bswap(dst: Register, bits: 16 | 32 | 64): this {
    return this.#unary(Opcode.BSWAP, dst, swapWidth(bits));
  }

  /** The low `bits` from the machine's byte order to little endian; clears the rest. */
  toLe(dst: Register, bits: 16 | 32 | 64): this {
    return this.#unary(Opcode.TO_LE, dst, swapWidth(bits));
  }

  /** The low `bits` from the machine's byte order to big endian (network order); clears the rest. */
  toBe(dst: Register, bits: 16 | 32 | 64): this {
    return this.#unary(Opcode.TO_BE, dst, swapWidth(bits));
  }

  /**
   * `dst = src` as a pointer of another address space: 1 is an arena, 0 the kernel (linux/bpf.h; Linux 6.9). Space
   * numbers are 16 bits.
   */
  addrSpaceCast(dst: Register, src: Register, toSpace: number, fromSpace: number): this {
    const imm = immediate(toSpace * 0x10000 + fromSpace);
    return this.raw({
      opcode: Class.ALU64 | Alu.MOV | SOURCE_REGISTER,
      dst: destination(dst),
      src: source(src),
      offset: 1,
      imm,
    });
  }

  #alu(operation: number, dst: Register, src: Operand, offset = 0): this {
    return typeof src === "object"
      ? this.raw({ opcode: operation | SOURCE_REGISTER, dst: destination(dst), src: source(src), offset, imm: 0 })
      : this.raw({ opcode: operation, dst: destination(dst), src: 0, offset, imm: immediate(src) });
  }

  #unary(opcode: number, dst: Register, imm: number): this {
    return this.raw({ opcode, dst: destination(dst), src: 0, offset: 0, imm });
  }
}

function swapWidth(bits: number): number {
  if (bits === 16 || bits === 32 || bits === 64) return bits;
  throw new AsmError(`A byte swap of ${bits} bits does not exist: it is 16, 32 or 64.`);
}
