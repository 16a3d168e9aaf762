import type { Btf } from "../../object/btf/index.ts";
import type { Step } from "./cpu/run-state.ts";
import type { HelperFunction } from "./helper/helper-call.ts";
import type { World } from "./world.ts";

/** How a machine is made. */
export interface MachineOptions {
  /** Time, task and memory; a world of its own when left out. */
  readonly world?: World;
  /** How many CPUs there are: values of per-CPU maps. 2 when left out. */
  readonly cpus?: number;
  /** The kernel's types: CO-RE relocations are carried out against them. Without, offsets stay as they were compiled. */
  readonly btf?: Btf;
  /** Values of `extern` variables: addresses of the kernel's symbols, values of its configuration. */
  readonly externs?: Readonly<Record<string, bigint | number>>;
  /** Helpers of your own by name (without `bpf_`): what the machine does not have, or shall do otherwise. */
  readonly helpers?: Readonly<Record<string, HelperFunction>>;
  /** Functions of the kernel of your own, by name. */
  readonly kfuncs?: Readonly<Record<string, HelperFunction>>;
  /**
   * What reading stack or a ring record that nobody wrote is: a `"fault"` (the default), or `"zero"`, where stack and
   * registers begin as zeros. Kernels before 6.3 refuse such programs.
   */
  readonly uninitialised?: "fault" | "zero";
  /** The most instructions of one run; 10,000,000 when left out. */
  readonly maxInstructions?: number;
  /**
   * What reading through null or where there is nothing is: a `"fault"`, or `"zero"`, as where the kernel reads through its own
   * typed pointers. By default `"zero"` in programs that have such (tracing, LSM, struct_ops, and those that call what gives
   * such pointers: `get_current_task_btf`, functions of the kernel), otherwise a fault.
   */
  readonly badReads?: "fault" | "zero";
}

/** What one run is besides the program and its context. */
export interface RunOptions {
  /** What `get_attach_cookie` gives; with `probeArguments` the cookie that the program was attached with (`bpf_usdt_cookie`). */
  readonly cookie?: bigint | number;
  /**
   * The arguments of the probe that a USDT program stands at, which its tables are told of. The context, registers, may be left out
   * then.
   */
  readonly probeArguments?: readonly (bigint | number)[];
  /** What `get_func_ip` gives: the address of the traced function. */
  readonly functionAddress?: bigint | number;
  /** Arguments of the traced function (`get_func_arg_cnt`); those of the context when left out. */
  readonly argumentCount?: number;
  /** What stands in r2 when the program begins, as user-space machines pass the context's length; the kernel passes nothing. */
  readonly size?: number;
  /** Told of each instruction after it has run, with the registers: for finding out what a program does. */
  readonly trace?: (step: Step) => void;
}

/** What came of a run. */
export interface RunResult {
  /** r0 at the end, unsigned. */
  readonly r0: bigint;
  /** Its lower half, signed: what the kernel takes as the program's result. */
  readonly result: number;
  /** Instructions that were run, wide ones as one. */
  readonly instructions: number;
  /** What an iterator wrote with `seq_printf` and `seq_write`, as text. */
  readonly output: string;
}
