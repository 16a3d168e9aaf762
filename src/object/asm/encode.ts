import { AsmError } from "./asm-error.ts";
import { disassemble } from "./disassemble.ts";
import { distanceField, type Instruction, slotsOf } from "./instruction.ts";
import { Opcode, Pseudo } from "./opcode.ts";
import { HOST_IS_LITTLE } from "./words.ts";

/** The byte order of instructions as bytes. */
export interface ByteOrderOptions {
  /** The byte order of the machine the program is for; little endian when left out. */
  readonly bigEndian?: boolean;
}

/** How instructions become bytes. */
export interface EncodeOptions extends ByteOrderOptions {
  /** Registers that there are not (r11 to r15) are written, too: for the verifier to refuse. */
  readonly anyRegister?: boolean;
}

const wide = new DataView(new ArrayBuffer(8));

/**
 * The bytes of a program, 8 per slot (RFC 9669 section 3). Resolves labels; map names are the loader's to resolve, so a
 * wide load with a map encodes the `imm64` it has. Throws AsmError naming the instruction when a field is out of range,
 * a jump too far, or a label missing or set twice.
 */
export function encode(instructions: readonly Instruction[], options: EncodeOptions = {}): Uint8Array {
  const bigEndian = options.bigEndian === true;
  const last = options.anyRegister === true ? 15 : 10;
  let slots = 0;
  let labels: Map<string, number> | undefined;
  for (const instruction of instructions) {
    if (instruction.label !== undefined) {
      labels ??= new Map();
      addLabels(labels, instruction.label, slots);
    }
    slots += instruction.opcode === Opcode.LOAD_IMM64 ? 2 : 1;
  }
  // Two 32-bit words a slot: one typed-array store each is several times cheaper than byte stores or a DataView while
  // the function is still cold, and a loader usually encodes once.
  const words = new Int32Array(slots * 2);
  let slot = 0;
  for (const instruction of instructions) {
    const { opcode, dst, src, target } = instruction;
    let { offset, imm } = instruction;
    let distance: number | undefined;
    if (target !== undefined) {
      distance = (labels?.get(target) ?? unknownLabel(instructions, slot, target)) - slot - 1;
      const field = distanceField(opcode, src);
      if (field === "offset") offset = distance;
      else if (field === "imm") imm = distance;
      else if (field === undefined) {
        fail(instructions, slot, `has the target "${target}" but does not jump; remove the target`);
      }
    }
    if (
      (opcode & 0xff) !== opcode ||
      dst >>> 0 !== dst ||
      dst > last ||
      src >>> 0 !== src ||
      src > last ||
      (offset << 16) >> 16 !== offset ||
      ((imm | 0) !== imm && imm >>> 0 !== imm)
    ) {
      refuse(instructions, slot, instruction, offset, imm);
    }
    let high = 0;
    if (opcode === Opcode.LOAD_IMM64) {
      const { imm64 } = instruction;
      if (distance !== undefined) imm = distance;
      else if (imm64 === undefined) high = src === Pseudo.VALUE ? imm >> 31 : 0;
      else {
        if (BigInt.asUintN(64, imm64) !== imm64 && BigInt.asIntN(64, imm64) !== imm64) {
          fail(instructions, slot, `has the immediate ${imm64}, which does not fit 64 bits`);
        }
        wide.setBigInt64(0, imm64, true);
        imm = wide.getInt32(0, true);
        high = wide.getInt32(4, true);
      }
    }
    const at = slot * 2;
    if (bigEndian) {
      words[at] = opcode | (((dst << 4) | src) << 8) | (((offset & 0xff) << 24) | ((offset & 0xff00) << 8));
      words[at + 1] = swap32(imm);
    } else {
      words[at] = opcode | (((src << 4) | dst) << 8) | (offset << 16);
      words[at + 1] = imm;
    }
    if (opcode === Opcode.LOAD_IMM64) {
      words[at + 3] = bigEndian ? swap32(high) : high;
      slot += 2;
    } else slot++;
  }
  // The words were put together as a little-endian machine stores them.
  if (!HOST_IS_LITTLE) for (let i = 0; i < words.length; i++) words[i] = swap32(words[i] as number);
  return new Uint8Array(words.buffer);
}

function addLabels(labels: Map<string, number>, label: string | readonly string[], slot: number): void {
  for (const name of typeof label === "string" ? [label] : label) {
    const earlier = labels.get(name);
    if (earlier !== undefined) {
      throw new AsmError(
        `The label "${name}" is set twice, at slot ${earlier} and at slot ${slot}, so a jump to it could mean either: give one of them another name.`,
      );
    }
    labels.set(name, slot);
  }
}

function swap32(value: number): number {
  return ((value & 0xff) << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24);
}

function unknownLabel(instructions: readonly Instruction[], slot: number, target: string): never {
  fail(instructions, slot, `goes to the label "${target}", which no instruction has; set it with label("${target}")`);
}

function refuse(
  instructions: readonly Instruction[],
  slot: number,
  { opcode, dst, src, target }: Instruction,
  offset: number,
  imm: number,
): never {
  if ((opcode & 0xff) !== opcode) fail(instructions, slot, `has the opcode ${opcode}; it must be 0 to 255`);
  for (const [field, register] of [
    ["destination", dst],
    ["source", src],
  ] as const) {
    if (register >>> 0 !== register || register > 10) {
      fail(instructions, slot, `has the ${field} register ${register}; there are r0 to r10`);
    }
  }
  if ((offset << 16) >> 16 !== offset) {
    fail(
      instructions,
      slot,
      target === undefined
        ? `has the offset ${offset}, which does not fit 16 bits; add the excess to the base register first`
        : `jumps ${offset} slots to "${target}", more than 16 bits can say; jump to a near ja32 that goes there`,
    );
  }
  fail(instructions, slot, `has the immediate ${imm}, which does not fit 32 bits; load it with loadImm64 first`);
}

function fail(instructions: readonly Instruction[], slot: number, what: string): never {
  let at = 0;
  for (const instruction of instructions) {
    if (at === slot) throw new AsmError(`Instruction ${slot} (${disassemble([instruction])}) ${what}.`);
    at += slotsOf(instruction);
  }
  throw new AsmError(`Instruction ${slot} ${what}.`);
}
