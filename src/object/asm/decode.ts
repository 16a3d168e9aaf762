import { AsmError } from "./asm-error.ts";
import type { ByteOrderOptions } from "./encode.ts";
import { type Instruction, slotsOf } from "./instruction.ts";
import { codeWords, decodeAt } from "./words.ts";

/**
 * The instructions of a program's bytes (RFC 9669 section 3), as they stand: no labels, no map names, opcodes not judged.
 * Wide loads come as one instruction with `imm64` unsigned. Throws AsmError when the length is no multiple of 8, or the
 * second half of a wide load is missing or not empty.
 */
export function decode(bytes: Uint8Array, options: ByteOrderOptions = {}): Instruction[] {
  if (bytes.length % 8 !== 0) {
    throw new AsmError(
      `A program of ${bytes.length} bytes ends inside an instruction, because each takes 8 bytes: pass the whole section.`,
    );
  }
  const words = codeWords(bytes, options);
  const instructions: Instruction[] = [];
  for (let slot = 0; slot < words.length / 2; ) {
    const instruction = decodeAt(words, slot, options);
    instructions.push(instruction);
    slot += slotsOf(instruction);
  }
  return instructions;
}
