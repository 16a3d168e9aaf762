import { AsmError } from "./asm-error.ts";
import type { ByteOrderOptions } from "./encode.ts";
import type { Instruction } from "./instruction.ts";
import { Opcode } from "./opcode.ts";

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
  const little = options.bigEndian !== true;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const instructions: Instruction[] = [];
  for (let at = 0; at < bytes.length; at += 8) {
    const opcode = view.getUint8(at);
    const registers = view.getUint8(at + 1);
    const dst = little ? registers & 0x0f : registers >> 4;
    const src = little ? registers >> 4 : registers & 0x0f;
    const offset = view.getInt16(at + 2, little);
    if (opcode !== Opcode.LOAD_IMM64) {
      instructions.push({ opcode, dst, src, offset, imm: view.getInt32(at + 4, little) });
      continue;
    }
    const slot = at / 8;
    if (at + 16 > bytes.length) {
      throw new AsmError(
        `Instruction ${slot} loads a 64-bit immediate, but the program ends before its second half: pass all 16 bytes of it.`,
      );
    }
    if (view.getUint32(at + 8) !== 0) {
      throw new AsmError(
        `Instruction ${slot} loads a 64-bit immediate, but what follows is not its second half (the first 4 bytes must be zero): the program is cut up or is not in ${little ? "little" : "big"} endian.`,
      );
    }
    const low = BigInt(view.getUint32(at + 4, little));
    const imm64 = (BigInt(view.getUint32(at + 12, little)) << 32n) | low;
    instructions.push({ opcode, dst, src, offset, imm: 0, imm64 });
    at += 8;
  }
  return instructions;
}
