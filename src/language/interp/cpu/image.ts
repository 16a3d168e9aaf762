import type { Instruction, SourceLine } from "../../../object/asm/index.ts";
import { highHalf, lowHalf } from "../memory/integers.ts";
import type { Cpu, Handler } from "./cpu.ts";

/** What a call of a helper or kernel function does: it reads r1 to r5 of the machine, and sets r0. */
export type Helper = (cpu: Cpu) => void;

/** Halves of r0 to r10; behind them stand the constants. */
const REGISTERS = 22;
const UNUSED = -1;

/** An instruction as the machine runs it: its handler, and where the handler finds what it needs. */
export interface Operation {
  readonly handler: Handler;
  readonly dst?: number;
  readonly src?: number;
  readonly arg?: number;
}

interface Part {
  readonly program: string;
  readonly start: number;
  readonly instructions: readonly Instruction[];
}

/**
 * All programs of a machine as tables, one after the other, so that a function or another program is just a place in them. Made
 * first, with all constants, then run.
 */
export class Image {
  readonly handlers: Handler[] = [];
  readonly helpers: Helper[] = [];
  dst = new Int32Array(0);
  src = new Int32Array(0);
  arg = new Int32Array(0);
  readonly #operations: Operation[] = [];
  readonly #constants = new Map<bigint, number>();
  readonly #parts: Part[] = [];
  readonly #helperIndex = new Map<Helper, number>();

  /** Where the next operation is put. */
  get length(): number {
    return this.#operations.length;
  }

  begin(program: string, instructions: readonly Instruction[]): void {
    this.#parts.push({ program, start: this.length, instructions });
  }

  add(operation: Operation): void {
    this.#operations.push(operation);
  }

  /** The register that holds a constant. */
  constant(value: bigint): number {
    const bits = BigInt.asUintN(64, value);
    let at = this.#constants.get(bits);
    if (at === undefined) {
      at = REGISTERS + this.#constants.size * 2;
      this.#constants.set(bits, at);
    }
    return at;
  }

  helper(helper: Helper): number {
    let index = this.#helperIndex.get(helper);
    if (index === undefined) {
      index = this.helpers.push(helper) - 1;
      this.#helperIndex.set(helper, index);
    }
    return index;
  }

  /** Makes the tables. */
  finish(): void {
    const { length } = this;
    this.dst = new Int32Array(length);
    this.src = new Int32Array(length);
    this.arg = new Int32Array(length);
    for (const [pc, { handler, dst, src, arg }] of this.#operations.entries()) {
      this.handlers.push(handler);
      this.dst[pc] = dst ?? UNUSED;
      this.src[pc] = src ?? UNUSED;
      this.arg[pc] = arg ?? 0;
    }
  }

  makeRegisters(): Int32Array {
    const regs = new Int32Array(REGISTERS + this.#constants.size * 2);
    for (const [value, at] of this.#constants) {
      regs[at] = lowHalf(value);
      regs[at + 1] = highHalf(value);
    }
    return regs;
  }

  /** Which instruction of which program an operation is. */
  place(pc: number): {
    readonly program: string;
    readonly index: number;
    readonly instruction: Instruction | undefined;
  } {
    const { program, start, instructions } = this.#partAt(pc);
    const index = pc - start;
    return { program, index, instruction: instructions[index] };
  }

  /** The line that an operation was compiled from, where the program says so. */
  source(pc: number): SourceLine | undefined {
    const { start, instructions } = this.#partAt(pc);
    return instructions.slice(0, pc - start + 1).findLast((instruction) => instruction.source)?.source;
  }

  #partAt(pc: number): Part {
    return this.#parts.findLast(({ start }) => start <= pc) as Part;
  }
}
