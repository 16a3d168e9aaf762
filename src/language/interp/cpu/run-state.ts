import type { Region } from "../memory/region.ts";
import type { World } from "../world.ts";

/** What one run has besides the program. */
export interface RunState {
  readonly world: World;
  readonly context: Region | undefined;
  readonly packet: Region | undefined;
  readonly cookie: bigint;
  readonly functionAddress: bigint;
  /** Arguments of the traced function, as `get_func_arg_cnt` counts them. */
  readonly argumentCount: number;
  /** Where programs of a program array begin. */
  readonly entryOf: (program: string) => number | undefined;
  /** What iterators wrote (`seq_write`, `seq_printf`). */
  readonly output: Uint8Array[];
  /** Addresses of locks that are held, and of iterators that are not destroyed. */
  readonly locks: Set<bigint>;
  readonly iterators: Set<bigint>;
  tailCalls: number;
  /** Told of each instruction after it has run. */
  readonly trace: ((step: Step) => void) | undefined;
}

/** An instruction that was run. */
export interface Step {
  /** The program's name in the object. */
  readonly program: string;
  /** Index in `ProgramSpec.instructions`. */
  readonly instruction: number;
  /** The instruction as `disassemble` writes it. */
  readonly text: string;
  /** r0 to r10 after it. */
  readonly registers: readonly bigint[];
  /** Registers that it changed, by number. */
  readonly changed: readonly number[];
}
