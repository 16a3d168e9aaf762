import { readFileSync } from "node:fs";

const POSSIBLE = "/sys/devices/system/cpu/possible";
let count: number | undefined;

/** How many CPUs the kernel could have is not known; without it no per-CPU value can be read. */
export class PossibleCpusError extends Error {
  override readonly name = "PossibleCpusError";
  readonly code = "SKEP_POSSIBLE_CPUS";
}

/**
 * How many CPUs this kernel could ever have, which is what per-CPU values are sized by (not how many are on line).
 * From /sys/devices/system/cpu/possible, e.g. `0-3` or `0,2-5`. Throws PossibleCpusError.
 */
export function possibleCpus(): number {
  if (count === undefined) {
    let text: string;
    try {
      text = readFileSync(POSSIBLE, "latin1");
    } catch (cause) {
      throw new PossibleCpusError(
        `${POSSIBLE} cannot be read, and per-CPU values are sized by it: mount sysfs (mount -t sysfs sysfs /sys).`,
        { cause },
      );
    }
    count = parseCpuList(text);
  }
  return count;
}

/** One more than the highest CPU of a kernel CPU list. */
export function parseCpuList(text: string): number {
  const last = text.trim().split(/[,-]/).at(-1);
  const highest = Number(last);
  if (last === undefined || last === "" || !Number.isInteger(highest)) {
    throw new PossibleCpusError(`"${text}" is not a CPU list; expected something like "0-7" in ${POSSIBLE}.`);
  }
  return highest + 1;
}
