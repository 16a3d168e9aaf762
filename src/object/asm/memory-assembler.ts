import { ArithmeticAssembler } from "./arithmetic-assembler.ts";
import { AsmError } from "./asm-error.ts";
import { Atomic, Class, Mode, Opcode, Pseudo, Width } from "./opcode.ts";
import { destination, immediate, offset16, source, type Target } from "./operand.ts";
import type { Register } from "./register.ts";

/** Widths of memory, unsigned: narrower loads clear the rest of the register. */
export type Size = keyof typeof Width;
/** Widths of sign-extending loads. */
export type SignedSize = "i8" | "i16" | "i32";
/** Widths of atomic operations. */
export type AtomicSize = "u32" | "u64";

const SIGNED = { i8: Width.u8, i16: Width.u16, i32: Width.u32 } as const;

/** Loads, stores, atomics and 64-bit immediates (RFC 9669 section 5). Offsets are bytes, signed 16 bits. */
export class MemoryAssembler extends ArithmeticAssembler {
  /** `dst = *(size *)(base + offset)`, zero-extended. */
  load(size: Size, dst: Register, base: Register, offset: number): this {
    return this.#read(Class.LDX | Mode.MEM | Width[size], dst, base, offset, 0);
  }

  /** `dst = *(size *)(base + offset)`, sign-extended to 64 bits. ISA v4, Linux 6.6. */
  loadSigned(size: SignedSize, dst: Register, base: Register, offset: number): this {
    return this.#read(Class.LDX | Mode.MEMSX | SIGNED[size], dst, base, offset, 0);
  }

  /** `*(size *)(base + offset) = value`; an immediate is sign-extended, or cut to the size. */
  store(size: Size, base: Register, offset: number, value: Register | number | bigint): this {
    return typeof value === "object"
      ? this.#write(Class.STX | Mode.MEM | Width[size], base, offset, value, 0)
      : this.raw({
          opcode: Class.ST | Mode.MEM | Width[size],
          dst: source(base),
          src: 0,
          offset: offset16(offset),
          imm: immediate(value),
        });
  }

  /** `dst = value`, 64 bits, signed or unsigned; takes two slots. */
  loadImm64(dst: Register, value: bigint | number): this {
    if (typeof value === "number" && !Number.isSafeInteger(value)) {
      throw new AsmError(`The immediate ${value} is no exact integer: pass it as a bigint.`);
    }
    const imm64 = BigInt.asUintN(64, BigInt(value));
    if (imm64 !== BigInt(value) && BigInt.asIntN(64, imm64) !== BigInt(value)) {
      throw new AsmError(`The immediate ${value} does not fit 64 bits: registers hold no more.`);
    }
    return this.#wide(dst, Pseudo.VALUE, imm64);
  }

  /** `dst` = the map of that name, for helpers that take a map. The loader puts its file descriptor in. */
  loadMap(dst: Register, map: string): this {
    const opcode = Opcode.LOAD_IMM64;
    return this.raw({ opcode, dst: destination(dst), src: Pseudo.MAP_FD, offset: 0, imm: 0, imm64: 0n, map });
  }

  /** `dst` = the address `offset` bytes into the first value of an array map. Linux 5.2. */
  loadMapValue(dst: Register, map: string, offset = 0): this {
    return this.raw({
      opcode: Opcode.LOAD_IMM64,
      dst: destination(dst),
      src: Pseudo.MAP_VALUE,
      offset: 0,
      imm: 0,
      imm64: high32(offset),
      map,
      mapValueOffset: offset,
    });
  }

  /** `dst` = the map at an index of the program's fd_array. Linux 5.14. */
  loadMapIndex(dst: Register, index: number): this {
    return this.#wide(dst, Pseudo.MAP_IDX, low32(index));
  }

  /** `loadMapValue` with the map given by an index of the program's fd_array. Linux 5.14. */
  loadMapIndexValue(dst: Register, index: number, offset = 0): this {
    return this.#wide(dst, Pseudo.MAP_IDX_VALUE, high32(offset) | low32(index));
  }

  /** `dst` = the address of a kernel variable by its BTF id; `btfFd` names a module's BTF, 0 vmlinux. Linux 5.10. */
  loadBtfId(dst: Register, btfId: number, btfFd = 0): this {
    return this.#wide(dst, Pseudo.BTF_ID, high32(btfFd) | low32(btfId));
  }

  /** `dst` = a function of the same program, for helpers that call back. Linux 5.13. */
  loadFunction(dst: Register, target: Target): this {
    if (typeof target === "number") return this.#wide(dst, Pseudo.FUNC, low32(immediate(target)));
    const opcode = Opcode.LOAD_IMM64;
    return this.raw({ opcode, dst: destination(dst), src: Pseudo.FUNC, offset: 0, imm: 0, imm64: 0n, target });
  }

  /** `r0` = packet bytes at an offset, in the machine's order; legacy, r6 must be the context (RFC 9669 section 5.5). */
  loadAbs(size: "u8" | "u16" | "u32", offset: number): this {
    return this.raw({ opcode: Class.LD | Mode.ABS | Width[size], dst: 0, src: 0, offset: 0, imm: immediate(offset) });
  }

  /** `loadAbs` at `src + offset` (RFC 9669 section 5.5). */
  loadInd(size: "u8" | "u16" | "u32", src: Register, offset: number): this {
    const opcode = Class.LD | Mode.IND | Width[size];
    return this.raw({ opcode, dst: 0, src: source(src), offset: 0, imm: immediate(offset) });
  }

  /** `*(size *)(base + offset) += src`, at once; the old value is not told. */
  atomicAdd(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#atomic(size, base, offset, src, Atomic.ADD);
  }

  /** `|=`, at once. Linux 5.12. */
  atomicOr(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#atomic(size, base, offset, src, Atomic.OR);
  }

  /** `&=`, at once. Linux 5.12. */
  atomicAnd(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#atomic(size, base, offset, src, Atomic.AND);
  }

  /** `^=`, at once. Linux 5.12. */
  atomicXor(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#atomic(size, base, offset, src, Atomic.XOR);
  }

  /** `atomicAdd` that leaves the old value in `src`. Linux 5.12. */
  fetchAdd(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#fetch(size, base, offset, src, Atomic.ADD | Atomic.FETCH);
  }

  /** `atomicOr` that leaves the old value in `src`. Linux 5.12. */
  fetchOr(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#fetch(size, base, offset, src, Atomic.OR | Atomic.FETCH);
  }

  /** `atomicAnd` that leaves the old value in `src`. Linux 5.12. */
  fetchAnd(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#fetch(size, base, offset, src, Atomic.AND | Atomic.FETCH);
  }

  /** `atomicXor` that leaves the old value in `src`. Linux 5.12. */
  fetchXor(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#fetch(size, base, offset, src, Atomic.XOR | Atomic.FETCH);
  }

  /** Exchanges `src` and `*(size *)(base + offset)`, at once. Linux 5.12. */
  xchg(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#fetch(size, base, offset, src, Atomic.XCHG);
  }

  /** Writes `src` if `*(size *)(base + offset)` equals r0; r0 becomes the old value either way. Linux 5.12. */
  cmpxchg(size: AtomicSize, base: Register, offset: number, src: Register): this {
    return this.#atomic(size, base, offset, src, Atomic.CMPXCHG);
  }

  /** `load` that later memory accesses cannot overtake. Linux 6.15. */
  loadAcquire(size: Size, dst: Register, base: Register, offset: number): this {
    return this.#read(Class.STX | Mode.ATOMIC | Width[size], dst, base, offset, Atomic.LOAD_ACQUIRE);
  }

  /** `store` that cannot overtake earlier memory accesses. Linux 6.15. */
  storeRelease(size: Size, base: Register, offset: number, src: Register): this {
    return this.#write(Class.STX | Mode.ATOMIC | Width[size], base, offset, src, Atomic.STORE_RELEASE);
  }

  #read(opcode: number, dst: Register, base: Register, offset: number, imm: number): this {
    return this.raw({ opcode, dst: destination(dst), src: source(base), offset: offset16(offset), imm });
  }

  #write(opcode: number, base: Register, offset: number, src: Register, imm: number): this {
    return this.raw({ opcode, dst: source(base), src: source(src), offset: offset16(offset), imm });
  }

  #atomic(size: AtomicSize, base: Register, offset: number, src: Register, imm: number): this {
    return this.#write(Class.STX | Mode.ATOMIC | Width[size], base, offset, src, imm);
  }

  #fetch(size: AtomicSize, base: Register, offset: number, src: Register, imm: number): this {
    destination(src);
    return this.#atomic(size, base, offset, src, imm);
  }

  #wide(dst: Register, src: number, imm64: bigint): this {
    return this.raw({ opcode: Opcode.LOAD_IMM64, dst: destination(dst), src, offset: 0, imm: 0, imm64 });
  }
}

function low32(value: number): bigint {
  return BigInt(immediate(value) >>> 0);
}

function high32(value: number): bigint {
  return value === 0 ? 0n : low32(value) << 32n;
}
