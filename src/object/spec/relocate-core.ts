import {
  Alu,
  Callee,
  Class,
  type CoreRelocation,
  disassemble,
  type Instruction,
  Opcode,
  Pseudo,
  SOURCE_REGISTER,
  Width,
} from "../asm/index.ts";
import { accessText, type Btf, CoreError, type CoreResolver, type Resolution } from "../btf/index.ts";

/** The helper number that stands where a relocation came to nothing, so that the verifier's log shows it: "bad relo". */
export const POISON = 0xbad2310;

const WIDTHS: Readonly<Record<number, number>> = { 1: Width.u8, 2: Width.u16, 4: Width.u32, 8: Width.u64 };
const BYTES: Readonly<Record<number, number>> = { [Width.u8]: 1, [Width.u16]: 2, [Width.u32]: 4, [Width.u64]: 8 };
const WIDTH_MASK = 0x18;

/**
 * The instructions with their CO-RE relocations carried out. What the kernel lacks becomes a call of helper 195896080,
 * which the verifier refuses only where it is reached; the relocation stays on the instruction, so that the error can
 * name the type and the field. Throws CoreError for relocations that cannot be right on any kernel.
 */
export function relocateCore(
  program: string,
  instructions: readonly Instruction[],
  local: Btf,
  resolver: CoreResolver,
): readonly Instruction[] {
  if (!instructions.some(({ relocation }) => relocation !== undefined)) return instructions;
  return instructions.flatMap((instruction, i) =>
    instruction.relocation === undefined
      ? [instruction]
      : relocateInstruction(
          instruction,
          instruction.relocation,
          local,
          resolver,
          () => `Program "${program}", instruction ${i}`,
        ),
  );
}

/** What becomes of one instruction: as many slots as it had. `where` begins the sentence of an error. Throws CoreError. */
export function relocateInstruction(
  instruction: Instruction,
  relocation: CoreRelocation,
  local: Btf,
  resolver: CoreResolver,
  where: () => string,
): readonly Instruction[] {
  const wrong = (why: string) =>
    new CoreError(
      `${where()} (${disassemble([instruction]).trim()}), which stands for ${relocation.kind} of ${accessText(local, relocation)}: ${why}.`,
    );
  return patch(instruction, resolver.resolve(relocation), wrong);
}

function patch(instruction: Instruction, resolution: Resolution, wrong: (why: string) => CoreError): Instruction[] {
  if (resolution.poison) return poison(instruction);
  const { opcode, src, imm, offset, imm64 } = instruction;
  const { local, target, checked } = resolution;
  const check = (has: bigint) => {
    if (checked && has !== BigInt.asUintN(64, local))
      throw wrong(
        `the compiler put ${has} there where its own types say ${local}; the object is damaged or was edited`,
      );
  };
  switch (opcode & 0x07) {
    case Class.ALU:
    case Class.ALU64: {
      if ((opcode & SOURCE_REGISTER) !== 0 || (opcode & 0xf0) === Alu.END)
        throw wrong("it has no immediate to relocate");
      check(BigInt.asUintN(64, BigInt(imm | 0)));
      return [{ ...instruction, imm: Number(BigInt.asIntN(32, target)) }];
    }
    case Class.LDX:
    case Class.ST:
    case Class.STX: {
      check(BigInt.asUintN(64, BigInt(offset)));
      if (target > 0x7fffn) throw wrong(`the field is ${target} bytes into the structure, and an offset has 15 bits`);
      if (!resolution.resizable) return poison(instruction);
      const moved = { ...instruction, offset: Number(target) };
      if (resolution.localSize === resolution.targetSize) return [moved];
      if (BYTES[opcode & WIDTH_MASK] !== resolution.localSize)
        throw wrong(`it reads ${BYTES[opcode & WIDTH_MASK]} bytes of a field of ${resolution.localSize}`);
      const width = WIDTHS[resolution.targetSize];
      if (width === undefined)
        throw wrong(`the kernel's field has ${resolution.targetSize} bytes, which no load takes`);
      return [{ ...moved, opcode: (opcode & ~WIDTH_MASK) | width }];
    }
    case Class.LD:
      if (opcode !== Opcode.LOAD_IMM64 || src !== Pseudo.VALUE || offset !== 0)
        throw wrong("it has no immediate to relocate");
      check(BigInt.asUintN(64, imm64 ?? BigInt(imm)));
      return [{ ...instruction, imm64: BigInt.asIntN(64, target), imm: Number(BigInt.asIntN(32, target)) }];
    default:
      throw wrong("such an instruction cannot be relocated");
  }
}

/** As many slots as it had, so that jumps stay right. */
function poison(instruction: Instruction): Instruction[] {
  const { label, source, functionType, relocation } = instruction;
  const call: Instruction = { opcode: Opcode.CALL, dst: 0, src: Callee.HELPER, offset: 0, imm: POISON };
  const first: Instruction = {
    ...call,
    ...(label !== undefined && { label }),
    ...(source !== undefined && { source }),
    ...(functionType !== undefined && { functionType }),
    ...(relocation !== undefined && { relocation }),
  };
  return instruction.opcode === Opcode.LOAD_IMM64 ? [first, call] : [first];
}
