import type { Cpu, Handler } from "./cpu.ts";

/**
 * Arithmetic of 64 bits (RFC 9669 section 4.1) on registers that are two halves of 32 bits: each operation is exact, and none
 * makes a bigint but divisions of large numbers. `cpu.dst[pc]` and `cpu.src[pc]` are where the low halves stand; an immediate
 * is a register that is never written.
 */

export const mov64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  regs[d] = regs[s] as number;
  regs[d + 1] = regs[s + 1] as number;
  return pc + 1;
};

export const add64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const a = regs[d] as number;
  const low = (a + (regs[s] as number)) | 0;
  regs[d + 1] = (regs[d + 1] as number) + (regs[s + 1] as number) + (low >>> 0 < a >>> 0 ? 1 : 0);
  regs[d] = low;
  return pc + 1;
};

export const sub64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const a = regs[d] as number;
  const b = regs[s] as number;
  regs[d + 1] = (regs[d + 1] as number) - (regs[s + 1] as number) - (a >>> 0 < b >>> 0 ? 1 : 0);
  regs[d] = a - b;
  return pc + 1;
};

export const mul64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const a = regs[d] as number;
  const b = regs[s] as number;
  const cross = (Math.imul(a, regs[s + 1] as number) + Math.imul(regs[d + 1] as number, b)) | 0;
  regs[d + 1] = highOfProduct(a, b) + cross;
  regs[d] = Math.imul(a, b);
  return pc + 1;
};

/** The upper 32 bits of the product of two unsigned halves, from products of 16 bits, which all fit 32. */
function highOfProduct(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16);
  const other = (middle & 0xffff) + a0 * b1;
  return (a1 * b1 + (middle >>> 16) + (other >>> 16)) | 0;
}

/** By zero: 0. */
export const div64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  if (regs[d + 1] === 0 && regs[s + 1] === 0) {
    const b = (regs[s] as number) >>> 0;
    regs[d] = b === 0 ? 0 : Math.floor(((regs[d] as number) >>> 0) / b);
    return pc + 1;
  }
  const { wide } = cpu;
  const b = wide[s >> 1] as bigint;
  wide[d >> 1] = b === 0n ? 0n : (wide[d >> 1] as bigint) / b;
  return pc + 1;
};

/** By zero: unchanged. */
export const mod64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  if (regs[d + 1] === 0 && regs[s + 1] === 0) {
    const b = (regs[s] as number) >>> 0;
    if (b !== 0) regs[d] = ((regs[d] as number) >>> 0) % b;
    return pc + 1;
  }
  const { wide } = cpu;
  const b = wide[s >> 1] as bigint;
  if (b !== 0n) wide[d >> 1] = (wide[d >> 1] as bigint) % b;
  return pc + 1;
};

/** Truncates; the smallest number by −1 is itself (a store to `wide` wraps around). */
export const sdiv64: Handler = (cpu, pc) => {
  const { wide } = cpu;
  const d = (cpu.dst[pc] as number) >> 1;
  const b = BigInt.asIntN(64, wide[(cpu.src[pc] as number) >> 1] as bigint);
  wide[d] = b === 0n ? 0n : BigInt.asIntN(64, wide[d] as bigint) / b;
  return pc + 1;
};

/** The remainder has the dividend's sign. */
export const smod64: Handler = (cpu, pc) => {
  const { wide } = cpu;
  const d = (cpu.dst[pc] as number) >> 1;
  const b = BigInt.asIntN(64, wide[(cpu.src[pc] as number) >> 1] as bigint);
  if (b !== 0n) wide[d] = BigInt.asIntN(64, wide[d] as bigint) % b;
  return pc + 1;
};

export const or64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  regs[d] = (regs[d] as number) | (regs[s] as number);
  regs[d + 1] = (regs[d + 1] as number) | (regs[s + 1] as number);
  return pc + 1;
};

export const and64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  regs[d] = (regs[d] as number) & (regs[s] as number);
  regs[d + 1] = (regs[d + 1] as number) & (regs[s + 1] as number);
  return pc + 1;
};

export const xor64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  regs[d] = (regs[d] as number) ^ (regs[s] as number);
  regs[d + 1] = (regs[d + 1] as number) ^ (regs[s + 1] as number);
  return pc + 1;
};

export const lsh64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const by = (regs[cpu.src[pc] as number] as number) & 63;
  const low = regs[d] as number;
  if (by >= 32) {
    regs[d + 1] = low << (by - 32);
    regs[d] = 0;
  } else if (by !== 0) {
    regs[d + 1] = ((regs[d + 1] as number) << by) | (low >>> (32 - by));
    regs[d] = low << by;
  }
  return pc + 1;
};

export const rsh64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const by = (regs[cpu.src[pc] as number] as number) & 63;
  const high = regs[d + 1] as number;
  if (by >= 32) {
    regs[d] = high >>> (by - 32);
    regs[d + 1] = 0;
  } else if (by !== 0) {
    regs[d] = ((regs[d] as number) >>> by) | (high << (32 - by));
    regs[d + 1] = high >>> by;
  }
  return pc + 1;
};

export const arsh64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const by = (regs[cpu.src[pc] as number] as number) & 63;
  const high = regs[d + 1] as number;
  if (by >= 32) {
    regs[d] = high >> (by - 32);
    regs[d + 1] = high >> 31;
  } else if (by !== 0) {
    regs[d] = ((regs[d] as number) >>> by) | (high << (32 - by));
    regs[d + 1] = high >> by;
  }
  return pc + 1;
};

export const neg64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const low = regs[d] as number;
  regs[d + 1] = -(regs[d + 1] as number) - (low === 0 ? 0 : 1);
  regs[d] = -low;
  return pc + 1;
};

/** From 8, 16 or 32 bits; `cpu.arg[pc]` is what they are short of 32. */
export const movsx64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const short = cpu.arg[pc] as number;
  const value = ((regs[cpu.src[pc] as number] as number) << short) >> short;
  regs[d] = value;
  regs[d + 1] = value >> 31;
  return pc + 1;
};

/** The lower 16 bits change places, the rest is zero. */
export const swap16: Handler = (cpu, pc) => {
  const d = cpu.dst[pc] as number;
  const low = cpu.regs[d] as number;
  set(cpu, d, ((low & 0xff) << 8) | ((low >>> 8) & 0xff), 0);
  return pc + 1;
};

export const swap32: Handler = (cpu, pc) => {
  const d = cpu.dst[pc] as number;
  set(cpu, d, swapped(cpu.regs[d] as number), 0);
  return pc + 1;
};

export const swap64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  set(cpu, d, swapped(regs[d + 1] as number), swapped(regs[d] as number));
  return pc + 1;
};

/** To the byte order the machine has: only cuts off. */
export const keep16: Handler = (cpu, pc) => {
  const d = cpu.dst[pc] as number;
  set(cpu, d, (cpu.regs[d] as number) & 0xffff, 0);
  return pc + 1;
};

export const keep32: Handler = (cpu, pc) => {
  cpu.regs[(cpu.dst[pc] as number) + 1] = 0;
  return pc + 1;
};

export const keep64: Handler = (_cpu, pc) => pc + 1;

function set({ regs }: Cpu, d: number, low: number, high: number): void {
  regs[d] = low;
  regs[d + 1] = high;
}

function swapped(value: number): number {
  return ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}
