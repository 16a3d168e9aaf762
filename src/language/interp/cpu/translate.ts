import {
  Alu,
  Atomic,
  Callee,
  Class,
  disassemble,
  type Instruction,
  Mode,
  Opcode,
  Pseudo,
  SOURCE_REGISTER,
  slotsOf,
} from "../../../object/asm/index.ts";
import { MachineFault } from "../machine-fault.ts";
import * as alu32 from "./alu32.ts";
import * as alu64 from "./alu64.ts";
import { atomic } from "./atomic.ts";
import { callFunction, callHelper, callRegister, exit, mayGoto, trap, writesFramePointer } from "./call.ts";
import type { Helper, Image, Operation } from "./image.ts";
import * as jump from "./jump.ts";
import * as memory from "./load-store.ts";
import {
  ALU32,
  ALU64,
  BYTES,
  type Bytes,
  JUMP32,
  JUMP64,
  KEEP,
  LOADS,
  MIRRORED,
  SIGNED_LOADS,
  STORES,
  SWAP,
} from "./operations.ts";

/** What instructions name that is not in them. */
export interface Surroundings {
  readonly little: boolean;
  /** The address that a wide load of a map is. */
  mapAddress(name: string): bigint | undefined;
  /** The address of a byte in the (only) value of a map. */
  mapValueAddress(name: string, offset: number): bigint | undefined;
  /** The address that stands for a function, to be given to helpers. */
  functionAddress(entry: number, name: string): bigint;
  /** The value of an extern: an address, or where it stands; undefined when the machine was not given it. */
  externAddress(name: string): bigint | undefined;
  helper(id: number): Helper;
  kfunc(name: string): Helper;
  /** The name of a kernel function by its id in the kernel's types. */
  kfuncName(id: number): string;
}

/**
 * Appends a program to an image; where it begins. Throws MachineFault BAD_INSTRUCTION for an instruction that is none: an opcode
 * that RFC 9669 does not have, a jump that leaves the program, a map that is not there.
 */
export function translate(
  program: string,
  instructions: readonly Instruction[],
  image: Image,
  surroundings: Surroundings,
): number {
  return new Translation(program, instructions, image, surroundings).run();
}

class Translation {
  readonly #program: string;
  readonly #instructions: readonly Instruction[];
  readonly #image: Image;
  readonly #around: Surroundings;
  readonly #start: number;
  /** Index of the instruction that begins at a slot; −1 in the middle of a wide load. */
  readonly #indexOf: number[] = [];
  readonly #labels = new Map<string, number>();
  #index = 0;
  #slot = 0;

  constructor(program: string, instructions: readonly Instruction[], image: Image, around: Surroundings) {
    this.#program = program;
    this.#instructions = instructions;
    this.#image = image;
    this.#around = around;
    this.#start = image.length;
    for (const [i, instruction] of instructions.entries()) {
      const { label = [] } = instruction;
      for (const name of typeof label === "string" ? [label] : label) this.#labels.set(name, i);
      this.#indexOf.push(i);
      if (slotsOf(instruction) === 2) this.#indexOf.push(-1);
    }
  }

  run(): number {
    this.#image.begin(this.#program, this.#instructions);
    for (const instruction of this.#instructions) {
      const { dst, src } = instruction;
      if (dst >>> 0 !== dst || dst > 10 || src >>> 0 !== src || src > 10)
        this.#bad("It has a register that there is not.");
      this.#image.add(this.#operation(instruction));
      this.#index++;
      this.#slot += slotsOf(instruction);
    }
    // Whoever runs beyond the last instruction.
    this.#image.add({ handler: trap });
    return this.#start;
  }

  #operation(i: Instruction): Operation {
    switch (i.opcode & 0x07) {
      case Class.ALU64:
      case Class.ALU:
        return this.#writing(i.dst, this.#arithmetic(i));
      case Class.JMP:
      case Class.JMP32:
        return this.#jump(i);
      case Class.LDX:
        return this.#writing(i.dst, this.#load(i));
      case Class.ST:
      case Class.STX:
        return this.#store(i);
      default:
        return i.opcode === Opcode.LOAD_IMM64 ? this.#writing(i.dst, this.#wide(i)) : this.#packet(i);
    }
  }

  /** The register an instruction's second operand is in. */
  #operand(i: Instruction): number {
    return (i.opcode & SOURCE_REGISTER) !== 0 ? i.src * 2 : this.#image.constant(BigInt(i.imm | 0));
  }

  /** An operation that writes a register. Writing r10 is a fault where it is reached: verifiers do not look at dead code. */
  #writing(register: number, operation: Operation): Operation {
    return register === 10 ? { handler: writesFramePointer } : operation;
  }

  #arithmetic(i: Instruction): Operation {
    const { opcode, offset, imm } = i;
    const wide = (opcode & 0x07) === Class.ALU64;
    const operation = opcode & 0xf0;
    const dst = i.dst * 2;
    if (operation === Alu.END) {
      const swaps = wide || ((opcode & SOURCE_REGISTER) !== 0) === this.#around.little;
      const handler = (swaps ? SWAP : KEEP)[imm];
      if (handler === undefined || (wide && opcode !== Opcode.BSWAP)) this.#none();
      return { handler, dst };
    }
    if (operation === Alu.NEG) return { handler: wide ? alu64.neg64 : alu32.neg32, dst };
    const src = this.#operand(i);
    if (offset === 0) {
      const handler = (wide ? ALU64 : ALU32)[operation];
      return handler === undefined ? this.#none() : { handler, dst, src };
    }
    if (operation === Alu.DIV && offset === 1) return { handler: wide ? alu64.sdiv64 : alu32.sdiv32, dst, src };
    if (operation === Alu.MOD && offset === 1) return { handler: wide ? alu64.smod64 : alu32.smod32, dst, src };
    if (
      operation === Alu.MOV &&
      (opcode & SOURCE_REGISTER) !== 0 &&
      (offset === 8 || offset === 16 || (wide && offset === 32))
    )
      return { handler: wide ? alu64.movsx64 : alu32.movsx32, dst, src, arg: 32 - offset };
    return this.#none();
  }

  #jump(i: Instruction): Operation {
    const { opcode, src, imm, offset } = i;
    if (opcode === Opcode.EXIT) return { handler: exit };
    if (opcode === Opcode.CALL) return this.#call(i);
    if (opcode === Opcode.CALL_REGISTER) return { handler: callRegister, dst: i.dst * 2, arg: 0 };
    if (opcode === Opcode.JA) return { handler: jump.ja, arg: this.#target(i, offset) };
    if (opcode === Opcode.JA32) return { handler: jump.ja, arg: this.#target(i, imm) };
    if (opcode === Opcode.MAY_GOTO && src === 0) return { handler: mayGoto, arg: this.#target(i, offset) };
    const operation = opcode & 0xf0;
    const mirrored = MIRRORED[operation];
    const handler = ((opcode & 0x07) === Class.JMP ? JUMP64 : JUMP32)[mirrored ?? operation];
    if (handler === undefined) return this.#none();
    const left = i.dst * 2;
    const right = this.#operand(i);
    const arg = this.#target(i, offset);
    return mirrored === undefined ? { handler, dst: left, src: right, arg } : { handler, dst: right, src: left, arg };
  }

  #call(i: Instruction): Operation {
    const image = this.#image;
    const around = this.#around;
    // As the compiler writes it, a call of a kernel function is one of a function of the program that the loader has to find.
    if (i.extern !== undefined) return { handler: callHelper, arg: image.helper(around.kfunc(i.extern)) };
    switch (i.src) {
      case Callee.HELPER:
        return { handler: callHelper, arg: image.helper(around.helper(i.imm)) };
      case Callee.LOCAL:
        return { handler: callFunction, arg: this.#target(i, i.imm) };
      case Callee.KFUNC:
        return { handler: callHelper, arg: image.helper(around.kfunc(around.kfuncName(i.imm))) };
      default:
        return this.#none();
    }
  }

  /** Where a jump goes: by its label, or a distance in slots. */
  #target(i: Instruction, distance: number): number {
    let index: number | undefined;
    if (i.target !== undefined) {
      index = this.#labels.get(i.target);
      if (index === undefined) this.#bad(`It goes to the label "${i.target}", which no instruction has.`);
    } else index = this.#indexOf[this.#slot + 1 + distance];
    if (index === undefined || index < 0)
      this.#bad(
        `It goes ${distance} slots on, where ${index === undefined ? "the program has ended" : "a wide load is in its middle"}.`,
      );
    return this.#start + index;
  }

  #load(i: Instruction): Operation {
    const bytes = BYTES[(i.opcode >> 3) & 3] as Bytes;
    const mode = i.opcode & 0xe0;
    const handler = mode === Mode.MEM ? LOADS[bytes] : mode === Mode.MEMSX ? SIGNED_LOADS[bytes] : undefined;
    return handler === undefined ? this.#none() : { handler, dst: i.dst * 2, src: i.src * 2, arg: i.offset };
  }

  #store(i: Instruction): Operation {
    const { opcode, src, imm, offset } = i;
    const bytes = BYTES[(opcode >> 3) & 3] as Bytes;
    const dst = i.dst * 2;
    const fromRegister = (opcode & 0x07) === Class.STX;
    if ((opcode & 0xe0) === Mode.MEM) {
      const value = fromRegister ? src * 2 : this.#image.constant(BigInt(imm | 0));
      return { handler: STORES[bytes], dst, src: value, arg: offset };
    }
    const handler = fromRegister && (opcode & 0xe0) === Mode.ATOMIC ? atomic(imm, bytes) : undefined;
    if (handler === undefined) return this.#none();
    const operation = { handler, dst, src: src * 2, arg: offset };
    if (imm === Atomic.LOAD_ACQUIRE) return this.#writing(i.dst, operation);
    return (imm & Atomic.FETCH) !== 0 && imm !== Atomic.CMPXCHG ? this.#writing(src, operation) : operation;
  }

  #wide(i: Instruction): Operation {
    const dst = i.dst * 2;
    return { handler: alu64.mov64, dst, src: this.#image.constant(this.#wideValue(i)) };
  }

  #wideValue(i: Instruction): bigint {
    const around = this.#around;
    const { src, map, extern, imm64 } = i;
    if (extern !== undefined)
      return (
        around.externAddress(extern) ??
        this.#bad(`It needs the extern "${extern}", which the machine was not given: put it into the option externs.`)
      );
    if (map !== undefined) {
      const address =
        src === Pseudo.MAP_VALUE || i.mapValueOffset !== undefined
          ? around.mapValueAddress(map, i.mapValueOffset ?? 0)
          : around.mapAddress(map);
      return (
        address ?? this.#bad(`It loads from map "${map}", which the object does not have, or which has no one value.`)
      );
    }
    switch (src) {
      case Pseudo.VALUE:
        return imm64 ?? BigInt(i.imm | 0);
      case Pseudo.FUNC: {
        const distance = imm64 === undefined ? i.imm : Number(BigInt.asIntN(32, imm64));
        const entry = this.#target(i, distance);
        return around.functionAddress(entry, i.target ?? `at instruction ${entry - this.#start}`);
      }
      default:
        return this.#bad("It loads what only a loader knows (a descriptor, a type's id): name the map, or the extern.");
    }
  }

  #packet(i: Instruction): Operation {
    const bytes = BYTES[(i.opcode >> 3) & 3] as Bytes;
    const mode = i.opcode & 0xe0;
    if (bytes === 8 || (mode !== Mode.ABS && mode !== Mode.IND)) return this.#none();
    const handler = (mode === Mode.ABS ? memory.packetAbsolute : memory.packetIndexed)[bytes];
    return { handler, src: i.src * 2, arg: i.imm | 0 };
  }

  #none(): never {
    return this.#bad("There is no such instruction.");
  }

  #bad(sentence: string): never {
    const instruction = this.#instructions[this.#index] as Instruction;
    throw new MachineFault("BAD_INSTRUCTION", sentence, {
      program: this.#program,
      instruction: this.#index,
      text: disassemble([instruction]).trim(),
    });
  }
}
