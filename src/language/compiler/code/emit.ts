import {
  Alu,
  Callee,
  Class,
  type Instruction,
  Jump,
  Mode,
  Opcode,
  Pseudo,
  SOURCE_REGISTER,
  Width,
} from "../../../object/asm/index.ts";
import type { Span } from "../span.ts";
import { negate } from "../ssa/fold.ts";
import type { Condition } from "../ssa/ir.ts";
import type { Frame } from "./frame.ts";
import { MEMORY } from "./interval.ts";
import { labelWith } from "./labels.ts";
import type { Allocation } from "./linear-scan.ts";
import {
  CodeGenerationError,
  type Constant,
  type MachineBlock,
  type MachineFunction,
  type MachineInst,
  NONE,
} from "./machine.ts";
import { isRegister, type Move, type Place, STACK } from "./parallel-moves.ts";
import type { Moves } from "./resolve.ts";

const FRAME_POINTER = 10;
const JUMP: Readonly<Record<Condition, number>> = {
  eq: Jump.JEQ,
  ne: Jump.JNE,
  ult: Jump.JLT,
  ule: Jump.JLE,
  ugt: Jump.JGT,
  uge: Jump.JGE,
  slt: Jump.JSLT,
  sle: Jump.JSLE,
  sgt: Jump.JSGT,
  sge: Jump.JSGE,
  set: Jump.JSET,
};

/** An instruction while it is being put in its place. */
export type Draft = { -readonly [K in keyof Instruction]: Instruction[K] };

/** Instructions, and what each part of them is, for the checker and for explaining. */
export interface Emission {
  readonly instructions: Draft[];
  readonly spans: Span[];
  /** For each block, the number of its first instruction; -1 for one left out. */
  readonly starts: Map<MachineBlock, number>;
  /** By position / 2: numbers of instructions: where its moves begin, where it itself does, where its stores do, the end. */
  readonly parts: Int32Array;
}

/** Writes the instructions of a function whose values have their places. */
export function emitInstructions(func: MachineFunction, allocation: Allocation, moves: Moves, frame: Frame): Emission {
  return new Emitter(func, allocation, moves, frame).run();
}

class Emitter {
  readonly #func: MachineFunction;
  readonly #allocation: Allocation;
  readonly #moves: Moves;
  readonly #frame: Frame;
  readonly #out: Draft[] = [];
  readonly #spans: Span[] = [];
  readonly #starts: Emission["starts"] = new Map();
  readonly #parts: Int32Array;
  readonly #targets = new Set<MachineBlock>();
  #span: Span;

  constructor(func: MachineFunction, allocation: Allocation, moves: Moves, frame: Frame) {
    this.#func = func;
    this.#allocation = allocation;
    this.#moves = moves;
    this.#frame = frame;
    const last = func.blocks[func.blocks.length - 1] as MachineBlock;
    this.#parts = new Int32Array(last.to * 2);
    this.#span = last.end.origin.span;
  }

  run(): Emission {
    const { blocks } = this.#func;
    const laidOut = blocks.filter((block, i) => i === 0 || !this.#isEmpty(block));
    let written = 0;
    for (const block of blocks) {
      if (block === laidOut[written]) this.#block(block, laidOut[++written]);
      else {
        this.#parts.fill(this.#out.length, block.from * 2, block.to * 2);
        this.#starts.set(block, -1);
      }
    }
    this.#label(0, this.#func.name);
    for (const block of this.#targets) this.#label(this.#starts.get(block) as number, this.#labelOf(block));
    return { instructions: this.#out, spans: this.#spans, starts: this.#starts, parts: this.#parts };
  }

  #label(at: number, name: string): void {
    const draft = this.#out[at] as Draft;
    draft.label = labelWith(draft, name);
  }

  #labelOf(block: MachineBlock): string {
    return `${this.#func.name}#${block.id}`;
  }

  /** Whether it does nothing but go on. */
  #isEmpty(block: MachineBlock): boolean {
    const { before, after } = this.#moves;
    return (
      block.insts.length === 1 &&
      block.end.form === "jump" &&
      block.succs[0] !== block &&
      before[block.from >> 1] === undefined &&
      after[block.from >> 1] === undefined &&
      before[block.end.position >> 1] === undefined
    );
  }

  /** Where a jump to the block really goes. */
  #destination(block: MachineBlock): MachineBlock {
    let to = block;
    for (let hops = 0; this.#isEmpty(to) && hops < this.#func.blocks.length; hops++) to = to.succs[0] as MachineBlock;
    return to;
  }

  #block(block: MachineBlock, next: MachineBlock | undefined): void {
    const first = block.from >> 1;
    this.#starts.set(block, this.#out.length);
    this.#parts[first * 4] = this.#out.length;
    this.#span = (block.insts[0] as MachineInst).origin.span;
    this.#transfers(this.#moves.before[first]);
    this.#parts[first * 4 + 1] = this.#out.length;
    this.#parts[first * 4 + 2] = this.#out.length;
    this.#transfers(this.#moves.after[first]);
    this.#parts[first * 4 + 3] = this.#out.length;
    for (const inst of block.insts) {
      const at = (inst.position >> 1) * 4;
      this.#span = inst.origin.span;
      this.#parts[at] = this.#out.length;
      this.#transfers(this.#moves.before[inst.position >> 1]);
      this.#parts[at + 1] = this.#out.length;
      if (inst.form === "branch") this.#branch(inst, block, next);
      else if (inst.form === "jump") this.#goto(block.succs[0] as MachineBlock, next);
      else this.#inst(inst);
      this.#parts[at + 2] = this.#out.length;
      this.#transfers(this.#moves.after[inst.position >> 1]);
      this.#parts[at + 3] = this.#out.length;
    }
  }

  #push(opcode: number, dst: number, src: number, offset: number, imm: number): Draft {
    const draft: Draft = { opcode, dst, src, offset, imm };
    this.#out.push(draft);
    this.#spans.push(this.#span);
    return draft;
  }

  #transfers(moves: readonly Move[] | undefined): void {
    if (moves !== undefined) for (const move of moves) this.#transfer(move);
  }

  #transfer({ to, from, constant }: Move): void {
    if (!isRegister(to)) {
      const offset = this.#frame.placeOffset(to);
      if (constant !== undefined)
        this.#push(Class.ST | Mode.MEM | Width.u64, FRAME_POINTER, 0, offset, Number(constant.value));
      else this.#push(Class.STX | Mode.MEM | Width.u64, FRAME_POINTER, from, offset, 0);
    } else if (constant !== undefined) this.#constant(to, constant);
    else this.#fetch(to, from);
  }

  #fetch(to: number, from: Place): void {
    if (isRegister(from)) {
      if (to !== from) this.#push(Class.ALU64 | Alu.MOV | SOURCE_REGISTER, to, from, 0, 0);
    } else this.#push(Class.LDX | Mode.MEM | Width.u64, to, FRAME_POINTER, this.#frame.placeOffset(from), 0);
  }

  #constant(to: number, constant: Constant): void {
    const { value, offset, name } = constant;
    switch (constant.kind) {
      case "int": {
        const low = BigInt.asIntN(32, value);
        if (low === value) this.#push(Class.ALU64 | Alu.MOV, to, 0, 0, Number(low));
        // A move of 32 bits clears the others.
        else if (BigInt.asUintN(32, value) === value) this.#push(Class.ALU | Alu.MOV, to, 0, 0, Number(low));
        else this.#push(Opcode.LOAD_IMM64, to, Pseudo.VALUE, 0, 0).imm64 = BigInt.asUintN(64, value);
        return;
      }
      case "slot": {
        this.#push(Class.ALU64 | Alu.MOV | SOURCE_REGISTER, to, FRAME_POINTER, 0, 0);
        const distance = this.#frame.offsetOf(constant.slot as NonNullable<Constant["slot"]>) + offset;
        if (distance !== 0) this.#push(Class.ALU64 | Alu.ADD, to, 0, 0, distance);
        return;
      }
      case "map": {
        const draft = this.#push(Opcode.LOAD_IMM64, to, Pseudo.MAP_FD, 0, 0);
        draft.imm64 = 0n;
        draft.map = name;
        return;
      }
      case "mapValue": {
        const draft = this.#push(Opcode.LOAD_IMM64, to, Pseudo.MAP_VALUE, 0, 0);
        draft.imm64 = BigInt.asUintN(32, BigInt(offset)) << 32n;
        draft.map = name;
        draft.mapValueOffset = offset;
        return;
      }
      case "function": {
        const draft = this.#push(Opcode.LOAD_IMM64, to, Pseudo.FUNC, 0, 0);
        draft.imm64 = 0n;
        draft.target = name;
      }
    }
  }

  /** The register that a value is in where an instruction reads it. */
  #register(vreg: number, position: number): number {
    const register = this.#allocation.registerAt(vreg, position);
    if (register === MEMORY) throw new CodeGenerationError(`Value ${vreg} is in memory at ${position}.`);
    return register;
  }

  /** Brings a value, or a constant, into a register. */
  #bring(to: number, vreg: number, constant: Constant | undefined, position: number): void {
    if (vreg === NONE) {
      this.#constant(to, constant as Constant);
      return;
    }
    const register = this.#allocation.registerAt(vreg, position);
    const value = this.#func.constants[vreg];
    if (register === MEMORY && value !== undefined) this.#constant(to, value);
    else this.#fetch(to, register === MEMORY ? STACK + vreg : register);
  }

  #inst(inst: MachineInst): void {
    const { opcode, position, a, b, dst, offset, imm } = inst;
    switch (inst.form) {
      case "alu": {
        const to = this.#register(dst, position + 1);
        if (b !== NONE && b !== a && this.#register(b, position) === to) {
          throw new CodeGenerationError(`The operands of the instruction at ${position} are in one register.`);
        }
        // With both the same, the second is read where it was before it is changed.
        this.#bring(to, a, inst.constant, position);
        if (b === NONE) this.#push(opcode, to, 0, offset, imm);
        else this.#push(opcode | SOURCE_REGISTER, to, this.#register(b, position), offset, 0);
        return;
      }
      case "move":
        this.#push(opcode | SOURCE_REGISTER, this.#register(dst, position + 1), this.#register(b, position), offset, 0);
        return;
      case "constant":
        this.#constant(this.#register(dst, position + 1), inst.constant as Constant);
        return;
      case "load":
        this.#push(opcode, this.#register(dst, position + 1), this.#base(inst), this.#distance(inst), 0);
        return;
      case "store":
        this.#push(opcode, this.#base(inst), this.#register(b, position), this.#distance(inst), 0);
        return;
      case "storeImm":
        this.#push(opcode, this.#base(inst), 0, this.#distance(inst), imm);
        return;
      case "atomic":
        this.#push(opcode, this.#base(inst), this.#register(b, position), this.#distance(inst), imm);
        return;
      case "fetch": {
        const to = this.#register(dst, position + 1);
        this.#bring(to, b, undefined, position);
        this.#push(opcode, this.#base(inst), to, this.#distance(inst), imm);
        return;
      }
      case "fromRegister": {
        const register = this.#allocation.registerAt(dst, position + 1);
        const to = register === MEMORY ? STACK + dst : register;
        if (to !== imm) this.#transfer({ to, from: imm, constant: undefined });
        return;
      }
      case "toRegister":
        this.#distances(inst, imm);
        return;
      case "return":
        this.#distances(inst, 0);
        this.#push(Opcode.EXIT, 0, 0, 0, 0);
        return;
      case "call":
        this.#distances(inst, 1);
        this.#call(inst);
        return;
      default:
        throw new CodeGenerationError(`${inst.form} is no instruction of its own.`);
    }
  }

  /** Adds the distances to addresses that are already in the registers from `first` on. */
  #distances(inst: MachineInst, first: number): void {
    inst.operands.forEach(({ add }, n) => {
      if (add !== 0) this.#push(Class.ALU64 | Alu.ADD, first + n, 0, 0, add);
    });
  }

  #base({ slot, a, position }: MachineInst): number {
    return slot === undefined ? this.#register(a, position) : FRAME_POINTER;
  }

  #distance({ slot, offset }: MachineInst): number {
    return slot === undefined ? offset : this.#frame.offsetOf(slot) + offset;
  }

  #call({ callee }: MachineInst): void {
    if (callee === undefined) throw new CodeGenerationError("A call calls nothing.");
    switch (callee.kind) {
      case "helper":
        this.#push(Opcode.CALL, 0, Callee.HELPER, 0, callee.id);
        return;
      case "kfunc":
        this.#push(Opcode.CALL, 0, Callee.KFUNC, 0, 0).extern = callee.name;
        return;
      case "function":
        this.#push(Opcode.CALL, 0, Callee.LOCAL, 0, 0).target = callee.name;
    }
  }

  #goto(to: MachineBlock, next: MachineBlock | undefined): void {
    const block = this.#destination(to);
    if (block !== next) this.#push(Opcode.JA, 0, 0, 0, 0).target = this.#target(block);
  }

  #target(block: MachineBlock): string {
    this.#targets.add(block);
    return this.#labelOf(block);
  }

  #branch(inst: MachineInst, block: MachineBlock, next: MachineBlock | undefined): void {
    const whenTrue = this.#destination(block.succs[0] as MachineBlock);
    const whenFalse = this.#destination(block.succs[1] as MachineBlock);
    if (whenTrue === whenFalse) {
      this.#goto(whenTrue, next);
      return;
    }
    const opposite = whenTrue === next ? negate(inst.condition) : undefined;
    const condition = opposite ?? inst.condition;
    const to = opposite === undefined ? whenTrue : whenFalse;
    const opcode = inst.opcode | JUMP[condition];
    const a = this.#register(inst.a, inst.position);
    const draft =
      inst.b === NONE
        ? this.#push(opcode, a, 0, 0, inst.imm)
        : this.#push(opcode | SOURCE_REGISTER, a, this.#register(inst.b, inst.position), 0, 0);
    draft.target = this.#target(to);
    if (opposite === undefined) this.#goto(whenFalse, next);
  }
}
