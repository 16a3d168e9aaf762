import type { Handler } from "./cpu.ts";

/** Arithmetic of 32 bits (RFC 9669 section 4.1): on the lower halves; the upper half of the result is zero. */

export const mov32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const add32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a + b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const sub32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a - b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const mul32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = Math.imul(a, b);
  regs[d + 1] = 0;
  return pc + 1;
};

/** By zero: 0. */
export const div32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = b === 0 ? 0 : Math.floor((a >>> 0) / (b >>> 0));
  regs[d + 1] = 0;
  return pc + 1;
};

/** Truncates, as a store to a word does; the smallest number by −1 is itself. */
export const sdiv32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = b === 0 ? 0 : a / b;
  regs[d + 1] = 0;
  return pc + 1;
};

/** By zero: the lower half unchanged. */
export const mod32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = b === 0 ? a : (a >>> 0) % (b >>> 0);
  regs[d + 1] = 0;
  return pc + 1;
};

/** The remainder has the dividend's sign. */
export const smod32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = b === 0 ? a : a % b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const or32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a | b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const and32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a & b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const xor32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a ^ b;
  regs[d + 1] = 0;
  return pc + 1;
};

/** JavaScript's shifts, too, take the lower five bits of what they shift by. */
export const lsh32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a << b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const rsh32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a >>> b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const arsh32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const a = regs[d] as number;
  const b = regs[cpu.src[pc] as number] as number;
  regs[d] = a >> b;
  regs[d + 1] = 0;
  return pc + 1;
};

export const neg32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  regs[d] = -(regs[d] as number);
  regs[d + 1] = 0;
  return pc + 1;
};

/** From 8 or 16 bits; `cpu.arg[pc]` is what they are short of 32. */
export const movsx32: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const short = cpu.arg[pc] as number;
  regs[d] = ((regs[cpu.src[pc] as number] as number) << short) >> short;
  regs[d + 1] = 0;
  return pc + 1;
};
