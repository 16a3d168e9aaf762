import { readFileSync } from "node:fs";

let count: number | undefined;

/**
 * How many CPUs this kernel could ever have, which is what per-CPU values are sized by (not how many are on line).
 * From /sys/devices/system/cpu/possible, e.g. `0-3` or `0,2-5`.
 */
export function possibleCpus(): number {
  count ??= parseCpuList(readFileSync("/sys/devices/system/cpu/possible", "latin1"));
  return count;
}

/** One more than the highest CPU of a kernel CPU list. */
export function parseCpuList(text: string): number {
  const last = text.trim().split(/[,-]/).at(-1);
  const highest = Number(last);
  if (last === undefined || last === "" || !Number.isInteger(highest)) {
    throw new Error(`"${text}" is not a CPU list; expected something like "0-7" in /sys/devices/system/cpu/possible.`);
  }
  return highest + 1;
}
