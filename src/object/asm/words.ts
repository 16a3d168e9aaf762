import { AsmError } from "./asm-error.ts";
import type { ByteOrderOptions } from "./encode.ts";
import { type Instruction, slotsOf } from "./instruction.ts";
import { Opcode, Pseudo } from "./opcode.ts";

/**
 * Encoded code as numbers, two a slot: opcode, dst << 8, src << 12 and offset << 16 in the first, the immediate in the second.
 * In the memory of a little-endian machine they are the code's bytes (RFC 9669 section 3). Several times as fast to look at as
 * bytes are, which counts for code that is gone over once, before the engine has compiled anything.
 */
export type CodeWords = Uint32Array<ArrayBuffer>;

/** Whether this machine is little-endian. */
export const HOST_IS_LITTLE = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** A copy of encoded code, whole slots of 8 bytes. */
export function codeWords(bytes: Uint8Array, { bigEndian = false }: ByteOrderOptions = {}): CodeWords {
  const words = new Uint32Array(bytes.length / 4);
  if (HOST_IS_LITTLE && !bigEndian) {
    new Uint8Array(words.buffer).set(bytes);
    return words;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let word = 0; word < words.length; word += 2) {
    const at = word * 4;
    const registers = view.getUint8(at + 1);
    const [dst, src] = bigEndian ? [registers >> 4, registers & 0x0f] : [registers & 0x0f, registers >> 4];
    words[word] = view.getUint8(at) | (dst << 8) | (src << 12) | (view.getInt16(at + 2, !bigEndian) << 16);
    words[word + 1] = view.getUint32(at + 4, !bigEndian);
  }
  return words;
}

/**
 * The instruction that begins at a slot. Throws AsmError when the second half of a wide load is missing or not empty;
 * `bigEndian` is for its sentence.
 */
export function decodeAt(words: CodeWords, slot: number, { bigEndian = false }: ByteOrderOptions = {}): Instruction {
  const at = slot * 2;
  const first = words[at] as number;
  const low = words[at + 1] as number;
  const opcode = first & 0xff;
  const dst = (first >>> 8) & 0x0f;
  const src = (first >>> 12) & 0x0f;
  const offset = first >> 16;
  if (opcode !== Opcode.LOAD_IMM64) return { opcode, dst, src, offset, imm: low | 0 };
  if (at + 4 > words.length) {
    throw new AsmError(
      `Instruction ${slot} loads a 64-bit immediate, but the program ends before its second half: pass all 16 bytes of it.`,
    );
  }
  if (words[at + 2] !== 0) {
    throw new AsmError(
      `Instruction ${slot} loads a 64-bit immediate, but what follows is not its second half (the first 4 bytes must be zero): the program is cut up or is not in ${bigEndian ? "big" : "little"} endian.`,
    );
  }
  const high = words[at + 3] as number;
  const imm64 = high === 0 ? BigInt(low) : (BigInt(high) << 32n) | BigInt(low);
  return { opcode, dst, src, offset, imm: 0, imm64 };
}

/**
 * Writes an instruction over what stands at a slot, as it is: names are not looked at and nothing is judged, which is for code
 * of others that only needs to be changed in places. `encode` makes code anew. Gives the slot behind it.
 */
export function writeAt(words: CodeWords, slot: number, instruction: Instruction): number {
  const { opcode, dst, src, offset, imm, imm64 } = instruction;
  const at = slot * 2;
  words[at] = opcode | (dst << 8) | (src << 12) | (offset << 16);
  words[at + 1] = imm;
  if (slotsOf(instruction) === 1) return slot + 1;
  words[at + 2] = 0;
  words[at + 3] = src === Pseudo.VALUE && imm64 === undefined ? imm >> 31 : 0;
  if (imm64 !== undefined && imm64 !== 0n) {
    words[at + 1] = Number(BigInt.asUintN(32, imm64));
    words[at + 3] = Number(BigInt.asUintN(32, imm64 >> 32n));
  } else if (imm64 !== undefined) words[at + 1] = 0;
  return slot + 2;
}
