import { Helper, type HelperName } from "./helper.ts";
import { MemoryAssembler } from "./memory-assembler.ts";
import { Callee, Class, Jump, Opcode, SOURCE_REGISTER } from "./opcode.ts";
import { immediate, type Operand, offset16, source, type Target } from "./operand.ts";
import type { Register } from "./register.ts";

/**
 * Writes instructions, one method call each; every method returns the assembler. Values that fit no instruction throw
 * AsmError at the call; `encode` resolves the labels. Here are jumps and calls (RFC 9669 section 4.3); arithmetic, loads
 * and stores are inherited. Plain names compare 64 bits, where an immediate is sign-extended; names with `32` compare the
 * low 32 bits. A target is a label, or a distance in slots from the next instruction.
 *
 * ```ts
 * const code = new Assembler().load("u32", r0, r1, 0).jeq(r0, 7, "done").mov(r0, 0).label("done").exit().instructions();
 * ```
 */
export class Assembler extends MemoryAssembler {
  /** Jumps when equal. */
  jeq(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JEQ, dst, src, target);
  }

  /** Jumps when not equal. */
  jne(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JNE, dst, src, target);
  }

  /** Jumps when greater, unsigned. */
  jgt(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JGT, dst, src, target);
  }

  /** Jumps when greater or equal, unsigned. */
  jge(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JGE, dst, src, target);
  }

  /** Jumps when less, unsigned. */
  jlt(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JLT, dst, src, target);
  }

  /** Jumps when less or equal, unsigned. */
  jle(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JLE, dst, src, target);
  }

  /** Jumps when greater, signed. */
  jsgt(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JSGT, dst, src, target);
  }

  /** Jumps when greater or equal, signed. */
  jsge(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JSGE, dst, src, target);
  }

  /** Jumps when less, signed. */
  jslt(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JSLT, dst, src, target);
  }

  /** Jumps when less or equal, signed. */
  jsle(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JSLE, dst, src, target);
  }

  /** Jumps when `dst & src` is not 0. */
  jset(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP | Jump.JSET, dst, src, target);
  }

  /** `jeq` of 32 bits. */
  jeq32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JEQ, dst, src, target);
  }

  /** `jne` of 32 bits. */
  jne32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JNE, dst, src, target);
  }

  /** `jgt` of 32 bits. */
  jgt32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JGT, dst, src, target);
  }

  /** `jge` of 32 bits. */
  jge32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JGE, dst, src, target);
  }

  /** `jlt` of 32 bits. */
  jlt32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JLT, dst, src, target);
  }

  /** `jle` of 32 bits. */
  jle32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JLE, dst, src, target);
  }

  /** `jsgt` of 32 bits. */
  jsgt32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JSGT, dst, src, target);
  }

  /** `jsge` of 32 bits. */
  jsge32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JSGE, dst, src, target);
  }

  /** `jslt` of 32 bits. */
  jslt32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JSLT, dst, src, target);
  }

  /** `jsle` of 32 bits. */
  jsle32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JSLE, dst, src, target);
  }

  /** `jset` of 32 bits. */
  jset32(dst: Register, src: Operand, target: Target): this {
    return this.#compare(Class.JMP32 | Jump.JSET, dst, src, target);
  }

  /** Jumps by up to 32767 slots. */
  ja(target: Target): this {
    return this.#go(Opcode.JA, 0, target);
  }

  /** Jumps by a 32-bit distance (`gotol`). ISA v4, Linux 6.6. */
  ja32(target: Target): this {
    return this.#far(Opcode.JA32, 0, target);
  }

  /** Goes on, or jumps once the kernel has had enough of the loop (BPF_JCOND, linux/bpf.h; Linux 6.9). */
  mayGoto(target: Target): this {
    return this.#go(Opcode.MAY_GOTO, 0, target);
  }

  /** Calls a helper by name (without `bpf_`) or id: arguments in r1 to r5, result in r0; r1 to r5 are lost. */
  call(helper: number | HelperName): this {
    const imm = immediate(typeof helper === "number" ? helper : Helper[helper]);
    return this.raw({ opcode: Opcode.CALL, dst: 0, src: Callee.HELPER, offset: 0, imm });
  }

  /** Calls a function of the same program, which returns with exit. Linux 4.16. */
  callLocal(target: Target): this {
    return this.#far(Opcode.CALL, Callee.LOCAL, target);
  }

  /**
   * Calls a kernel function by its BTF id; `module` is the index in the program's fd_array of the BTF it is from, 0 for
   * vmlinux. Linux 5.13.
   */
  callKfunc(btfId: number, module = 0): this {
    return this.raw({
      opcode: Opcode.CALL,
      dst: 0,
      src: Callee.KFUNC,
      offset: offset16(module),
      imm: immediate(btfId),
    });
  }

  /** Returns r0 to the caller, or from the program. */
  exit(): this {
    return this.raw({ opcode: Opcode.EXIT, dst: 0, src: 0, offset: 0, imm: 0 });
  }

  #compare(operation: number, dst: Register, src: Operand, target: Target): this {
    return typeof src === "object"
      ? this.#go(operation | SOURCE_REGISTER, 0, target, source(dst), source(src))
      : this.#go(operation, immediate(src), target, source(dst));
  }

  #go(opcode: number, imm: number, target: Target, dst = 0, src = 0): this {
    return typeof target === "string"
      ? this.raw({ opcode, dst, src, offset: 0, imm, target })
      : this.raw({ opcode, dst, src, offset: offset16(target), imm });
  }

  #far(opcode: number, src: number, target: Target): this {
    return typeof target === "string"
      ? this.raw({ opcode, dst: 0, src, offset: 0, imm: 0, target })
      : this.raw({ opcode, dst: 0, src, offset: 0, imm: immediate(target) });
  }
}
