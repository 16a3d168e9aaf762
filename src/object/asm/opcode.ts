/**
 * The numbers an opcode byte is made of (RFC 9669 section 3; linux/bpf.h, linux/bpf_common.h). The low three bits are the
 * class; arithmetic and jumps put the operation in the high four bits and "source is a register" in bit 3; loads and
 * stores put the mode in the high three bits and the width in the two below.
 */

/** Instruction classes, bits 0 to 2 (RFC 9669 section 3.1). */
export const Class = { LD: 0, LDX: 1, ST: 2, STX: 3, ALU: 4, JMP: 5, JMP32: 6, ALU64: 7 } as const;

/** The second operand is a register, not the immediate (BPF_X). For byte swaps: to big endian (RFC 9669 section 4.2). */
export const SOURCE_REGISTER = 0x08;

/** Arithmetic operations, bits 4 to 7 (RFC 9669 section 4.1). */
export const Alu = {
  ADD: 0x00,
  SUB: 0x10,
  MUL: 0x20,
  /** Signed when `offset` is 1. */
  DIV: 0x30,
  OR: 0x40,
  AND: 0x50,
  LSH: 0x60,
  RSH: 0x70,
  NEG: 0x80,
  /** Signed when `offset` is 1. */
  MOD: 0x90,
  XOR: 0xa0,
  /** Sign-extends from `offset` bits when that is 8, 16 or 32; casts address spaces when it is 1. */
  MOV: 0xb0,
  ARSH: 0xc0,
  END: 0xd0,
} as const;

/** Jump operations, bits 4 to 7 (RFC 9669 section 4.3; JCOND: linux/bpf.h, not in the RFC). */
export const Jump = {
  JA: 0x00,
  JEQ: 0x10,
  JGT: 0x20,
  JGE: 0x30,
  JSET: 0x40,
  JNE: 0x50,
  JSGT: 0x60,
  JSGE: 0x70,
  CALL: 0x80,
  EXIT: 0x90,
  JLT: 0xa0,
  JLE: 0xb0,
  JSLT: 0xc0,
  JSLE: 0xd0,
  JCOND: 0xe0,
} as const;

/** Widths of a load or store, bits 3 and 4 (RFC 9669 section 5). */
export const Width = { u32: 0x00, u16: 0x08, u8: 0x10, u64: 0x18 } as const;

/** Widths by those bits shifted right by 3. */
export const WIDTH_BITS = [32, 16, 8, 64] as const;

/** Modes of a load or store, bits 5 to 7 (RFC 9669 section 5). */
export const Mode = { IMM: 0x00, ABS: 0x20, IND: 0x40, MEM: 0x60, MEMSX: 0x80, ATOMIC: 0xc0 } as const;

/** What an atomic does, in its `imm` (RFC 9669 section 5.3; the last two: linux/bpf.h, Linux 6.15). */
export const Atomic = {
  ADD: 0x00,
  OR: 0x40,
  AND: 0x50,
  XOR: 0xa0,
  /** Or-ed to the four above: the source register receives the old value. */
  FETCH: 0x01,
  XCHG: 0xe1,
  CMPXCHG: 0xf1,
  LOAD_ACQUIRE: 0x100,
  STORE_RELEASE: 0x110,
} as const;

/** What the 64-bit immediate stands for, in the `src` of a wide load (RFC 9669 section 5.4, BPF_PSEUDO_*). */
export const Pseudo = {
  VALUE: 0,
  MAP_FD: 1,
  MAP_VALUE: 2,
  BTF_ID: 3,
  FUNC: 4,
  MAP_IDX: 5,
  MAP_IDX_VALUE: 6,
} as const;

/** What a call calls, in its `src` (RFC 9669 section 4.3.1 and 4.3.2). */
export const Callee = { HELPER: 0, LOCAL: 1, KFUNC: 2 } as const;

/** Whole opcodes that the encoder and decoder treat on their own. */
export const Opcode = {
  /** The one instruction of two slots (16 bytes). */
  LOAD_IMM64: 0x18,
  JA: 0x05,
  /** Jumps by `imm` instead of `offset`. */
  JA32: 0x06,
  CALL: 0x85,
  CALL_REGISTER: 0x8d,
  EXIT: 0x95,
  MAY_GOTO: 0xe5,
  TO_LE: 0xd4,
  TO_BE: 0xdc,
  BSWAP: 0xd7,
} as const;
