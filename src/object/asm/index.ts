/**
 * eBPF instructions as pure data (RFC 9669): writing them by name, their bytes, and their text. Nothing here touches the
 * kernel, so programs can be made, read and compared anywhere.
 */
export { AsmError } from "./asm-error.ts";
export { Assembler } from "./assembler.ts";
export { decode } from "./decode.ts";
export { type DisassembleOptions, disassemble } from "./disassemble.ts";
export { type ByteOrderOptions, type EncodeOptions, encode } from "./encode.ts";
export { Helper, type HelperName, helperName } from "./helper.ts";
export { helperSince } from "./helper-since.ts";
export {
  type CoreKind,
  type CoreRelocation,
  copyInstruction,
  type Instruction,
  type InstructionDraft,
  type SourceLine,
  slotsOf,
} from "./instruction.ts";
export type { AtomicSize, SignedSize, Size } from "./memory-assembler.ts";
export { Alu, Atomic, Callee, Class, Jump, Mode, Opcode, Pseudo, SOURCE_REGISTER, Width } from "./opcode.ts";
export type { Operand, Target } from "./operand.ts";
export { type Register, r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 } from "./register.ts";
export { type CodeWords, codeWords, decodeAt, writeAt } from "./words.ts";
