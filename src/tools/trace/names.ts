import { syscallName, syscallNumber } from "../../machine/proc/index.ts";
import { FILE_CALLS } from "./decode/index.ts";

const native: string[] = [];
const ia32: string[] = [];

/** A call's name; `syscall_512` for a number no table has; −1 stands for all that have no plan of their own. */
export function nameOfCall(nr: number, compat: boolean): string {
  if (nr < 0) return "(other)";
  // Asked for each call: remembered by number.
  const known = compat ? ia32 : native;
  known[nr] ??= syscallName(nr, compat ? "ia32" : process.arch) ?? `syscall_${nr}`;
  return known[nr];
}

/** Calls that make a process or thread and have the clone flags as their first argument. */
export function cloneNumbers(arch: string): ReadonlySet<number> {
  const clone = syscallNumber("clone", arch);
  return new Set(clone === undefined ? [] : [clone]);
}

/** Numbers of the calls that change what a process has open. */
export function fileCalls(arch: string): ReadonlySet<number> {
  return new Set(FILE_CALLS.map((name) => syscallNumber(name, arch)).filter((nr) => nr !== undefined));
}
