import { compatArch, syscallName, syscallNumber } from "../../machine/proc/index.ts";
import { FILE_CALLS } from "./decode/index.ts";

const native: string[] = [];
const compatible: string[] = [];

/** A call's name; `syscall_512` for a number no table has; −1 stands for all that have no statistics of their own. */
export function nameOfCall(nr: number, compat: boolean): string {
  if (nr < 0) return "(other)";
  // Asked for each call: remembered by number.
  const known = compat ? compatible : native;
  known[nr] ??= syscallName(nr, compat ? (compatArch(process.arch) ?? "") : process.arch) ?? `syscall_${nr}`;
  return known[nr];
}

/** clone in 32-bit programs, of x86 and of arm: looking it up would read their whole table at each start. */
export const COMPAT_CLONE = 120;

/** Calls that make a process or thread and have the clone flags as their first argument. */
export function cloneNumbers(arch: string): ReadonlySet<number> {
  // A 32-bit program's too: where it is another call's number, that call makes no process.
  return new Set([...numbersOf(["clone"], arch), COMPAT_CLONE]);
}

/** Numbers of the calls that change what a process has open. */
export function fileCalls(arch: string): ReadonlySet<number> {
  return numbersOf(FILE_CALLS, arch);
}

function numbersOf(names: readonly string[], arch: string): ReadonlySet<number> {
  return new Set(names.map((name) => syscallNumber(name, arch)).filter((nr) => nr !== undefined));
}
