import { AsmError } from "./asm-error.ts";
import type { Register } from "./register.ts";

/** What an operation works with: a register, or an immediate of 32 bits. */
export type Operand = Register | number | bigint;

/** Where a jump goes: a label, or a distance in slots from the next instruction. */
export type Target = string | number;

/** An immediate as the signed 32 bits it is stored in. The machine extends the sign when it works in 64 bits. */
export function immediate(value: number | bigint): number {
  if (typeof value === "bigint") {
    const low = BigInt.asIntN(32, value);
    // All three spellings of the same 32 bits: signed, unsigned, and sign-extended to an unsigned 64-bit number.
    if (low === value || BigInt.asUintN(32, value) === value || BigInt.asUintN(64, low) === value) return Number(low);
  } else if ((value | 0) === value || value >>> 0 === value) return value | 0;
  throw new AsmError(
    `The immediate ${value} does not fit 32 bits, which is all this instruction holds: load it into a register with loadImm64.`,
  );
}

/** An offset of 16 bits in bytes, or in slots for jumps. */
export function offset16(value: number): number {
  if ((value << 16) >> 16 === value) return value;
  throw new AsmError(
    `The offset ${value} does not fit 16 bits, which is all this instruction holds: add it to the base register first, or jump by ja32.`,
  );
}

/** The number of a register that is only read. */
export function source({ reg }: Register): number {
  if (reg >>> 0 === reg && reg <= 10) return reg;
  throw new AsmError(`There is no register r${reg}: the machine has r0 to r10.`);
}

/** The number of a register that is written. */
export function destination(register: Register): number {
  if (register.reg !== 10) return source(register);
  throw new AsmError("r10 is the frame pointer and cannot be written: copy it to another register and change that.");
}
