import { Alu, Jump } from "../../../object/asm/index.ts";
import * as alu32 from "./alu32.ts";
import * as alu64 from "./alu64.ts";
import type { Handler } from "./cpu.ts";
import * as jump from "./jump.ts";
import * as memory from "./load-store.ts";

/** Handlers by the numbers that opcodes are made of. */
type Table = Readonly<Record<number, Handler>>;

/** Arithmetic of 64 bits by operation. */
export const ALU64: Table = {
  [Alu.ADD]: alu64.add64,
  [Alu.SUB]: alu64.sub64,
  [Alu.MUL]: alu64.mul64,
  [Alu.DIV]: alu64.div64,
  [Alu.OR]: alu64.or64,
  [Alu.AND]: alu64.and64,
  [Alu.LSH]: alu64.lsh64,
  [Alu.RSH]: alu64.rsh64,
  [Alu.MOD]: alu64.mod64,
  [Alu.XOR]: alu64.xor64,
  [Alu.MOV]: alu64.mov64,
  [Alu.ARSH]: alu64.arsh64,
};
/** Arithmetic of 32 bits by operation. */
export const ALU32: Table = {
  [Alu.ADD]: alu32.add32,
  [Alu.SUB]: alu32.sub32,
  [Alu.MUL]: alu32.mul32,
  [Alu.DIV]: alu32.div32,
  [Alu.OR]: alu32.or32,
  [Alu.AND]: alu32.and32,
  [Alu.LSH]: alu32.lsh32,
  [Alu.RSH]: alu32.rsh32,
  [Alu.MOD]: alu32.mod32,
  [Alu.XOR]: alu32.xor32,
  [Alu.MOV]: alu32.mov32,
  [Alu.ARSH]: alu32.arsh32,
};
/** Conditional jumps of 64 bits by operation, without those that are `MIRRORED`. */
export const JUMP64: Table = {
  [Jump.JEQ]: jump.jeq64,
  [Jump.JGT]: jump.jgt64,
  [Jump.JGE]: jump.jge64,
  [Jump.JSET]: jump.jset64,
  [Jump.JNE]: jump.jne64,
  [Jump.JSGT]: jump.jsgt64,
  [Jump.JSGE]: jump.jsge64,
};
/** Those of 32 bits. */
export const JUMP32: Table = {
  [Jump.JEQ]: jump.jeq32,
  [Jump.JGT]: jump.jgt32,
  [Jump.JGE]: jump.jge32,
  [Jump.JSET]: jump.jset32,
  [Jump.JNE]: jump.jne32,
  [Jump.JSGT]: jump.jsgt32,
  [Jump.JSGE]: jump.jsge32,
};
/** Jumps that are another with its operands changed over: less is greater, seen from the other side. */
export const MIRRORED: Readonly<Record<number, number>> = {
  [Jump.JLT]: Jump.JGT,
  [Jump.JLE]: Jump.JGE,
  [Jump.JSLT]: Jump.JSGT,
  [Jump.JSLE]: Jump.JSGE,
};
/** By bits 3 and 4 of the opcode. */
export const BYTES = [4, 2, 1, 8] as const;
export type Bytes = (typeof BYTES)[number];
export const LOADS: Readonly<Record<Bytes, Handler>> = {
  1: memory.load8,
  2: memory.load16,
  4: memory.load32,
  8: memory.load64,
};
export const SIGNED_LOADS: Partial<Readonly<Record<Bytes, Handler>>> = {
  1: memory.loadSigned8,
  2: memory.loadSigned16,
  4: memory.loadSigned32,
};
export const STORES: Readonly<Record<Bytes, Handler>> = {
  1: memory.store8,
  2: memory.store16,
  4: memory.store32,
  8: memory.store64,
};
/** Byte swaps, and what leaves the bytes as they are, by bits. */
export const SWAP: Table = { 16: alu64.swap16, 32: alu64.swap32, 64: alu64.swap64 };
export const KEEP: Table = { 16: alu64.keep16, 32: alu64.keep32, 64: alu64.keep64 };
