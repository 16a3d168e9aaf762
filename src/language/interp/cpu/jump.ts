import type { Handler } from "./cpu.ts";

/**
 * Jumps (RFC 9669 section 4.3). `cpu.arg[pc]` is where they go. Unsigned and signed order differ in the upper halves alone:
 * the lower halves are compared as unsigned in both. Each is written out, and none compares by a function that it is given:
 * that would be called through a place that all of them share.
 */

export const ja: Handler = (cpu, pc) => cpu.arg[pc] as number;

export const jeq64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return ah === bh && al === bl ? (cpu.arg[pc] as number) : pc + 1;
};

export const jeq32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a === b ? (cpu.arg[pc] as number) : pc + 1;
};

export const jne64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return ah !== bh || al !== bl ? (cpu.arg[pc] as number) : pc + 1;
};

export const jne32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a !== b ? (cpu.arg[pc] as number) : pc + 1;
};

export const jgt64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return (ah === bh ? al >>> 0 > bl >>> 0 : ah >>> 0 > bh >>> 0) ? (cpu.arg[pc] as number) : pc + 1;
};

export const jgt32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a >>> 0 > b >>> 0 ? (cpu.arg[pc] as number) : pc + 1;
};

export const jge64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return (ah === bh ? al >>> 0 >= bl >>> 0 : ah >>> 0 > bh >>> 0) ? (cpu.arg[pc] as number) : pc + 1;
};

export const jge32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a >>> 0 >= b >>> 0 ? (cpu.arg[pc] as number) : pc + 1;
};

export const jsgt64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return (ah === bh ? al >>> 0 > bl >>> 0 : ah > bh) ? (cpu.arg[pc] as number) : pc + 1;
};

export const jsgt32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a > b ? (cpu.arg[pc] as number) : pc + 1;
};

export const jsge64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return (ah === bh ? al >>> 0 >= bl >>> 0 : ah > bh) ? (cpu.arg[pc] as number) : pc + 1;
};

export const jsge32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return a >= b ? (cpu.arg[pc] as number) : pc + 1;
};

export const jset64: Handler = (cpu, pc) => {
  const { regs } = cpu;
  const d = cpu.dst[pc] as number;
  const s = cpu.src[pc] as number;
  const al = regs[d] as number;
  const ah = regs[d + 1] as number;
  const bl = regs[s] as number;
  const bh = regs[s + 1] as number;
  return (al & bl) !== 0 || (ah & bh) !== 0 ? (cpu.arg[pc] as number) : pc + 1;
};

export const jset32: Handler = (cpu, pc) => {
  const a = cpu.regs[cpu.dst[pc] as number] as number;
  const b = cpu.regs[cpu.src[pc] as number] as number;
  return (a & b) !== 0 ? (cpu.arg[pc] as number) : pc + 1;
};
