// Small programs that tests attach. All of them look at this process only, by its id, in the kernel.

import { native } from "../../src/runtime/sys/index.ts";
import { Assembler, array, type ProgramSpec, r0, r1, r2, r6, r7, u64 } from "../../src/sdk/index.ts";

/** A call that Node itself does not make while a test looks: getpgid(0). */
const GETPGID = process.arch === "arm64" ? 155 : 121;

export function callGetpgid(times: number): void {
  for (let i = 0; i < times; i++) native().syscall(GETPGID, 0);
}

/** The map that the counting programs write to: matching calls of this process, and calls of others. */
export const counterMap = { type: "array", value: array(u64, 2), maxEntries: 1 } as const;

/** On raw tracepoint `sys_enter`: counts this process's calls of getpgid in the map `counts`. */
export function countingProgram(): ProgramSpec {
  const a = new Assembler();
  // The arguments of sys_enter are the registers and the number of the call.
  a.load("u64", r7, r1, 8).call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "out");
  a.jne(r7, GETPGID, "out");
  a.loadMapValue(r1, "counts", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
  a.label("out").mov(r0, 0).exit();
  return { type: "raw_tracepoint", license: "GPL", instructions: a.instructions() };
}

/** On a tracepoint of system calls: counts calls of this process in the first, all others' in the second counter. */
export function ownAndOtherProgram(): ProgramSpec {
  const a = new Assembler();
  a.call("get_current_pid_tgid").rsh(r0, 32).mov(r2, 1).loadMapValue(r6, "counts", 0).jeq(r0, process.pid, "own");
  a.atomicAdd("u64", r6, 8, r2).ja("out").label("own").atomicAdd("u64", r6, 0, r2);
  a.label("out").mov(r0, 0).exit();
  return { type: "tracepoint", license: "GPL", instructions: a.instructions() };
}
