import { readFileSync } from "node:fs";

const POSSIBLE = "/sys/devices/system/cpu/possible";
const ONLINE = "/sys/devices/system/cpu/online";
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
  count ??= parseCpuList(readPossible());
  return count;
}

/** The numbers of the CPUs that run now, in ascending order (/sys/devices/system/cpu/online). Throws PossibleCpusError. */
export function onlineCpus(): number[] {
  return rangesOf(readList(ONLINE, "they are what is read from"), ONLINE).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
}

function readPossible(): string {
  return readList(POSSIBLE, "per-CPU values are sized by it");
}

function readList(path: string, why: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch (cause) {
    throw new PossibleCpusError(`${path} cannot be read, and ${why}: mount sysfs (mount -t sysfs sysfs /sys).`, {
      cause,
    });
  }
}

/** How many CPUs a kernel CPU list names: those in gaps have no values. */
export function parseCpuList(text: string): number {
  return rangesOf(text).reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** One more than the highest CPU of the list: how many entries an array has that is indexed by CPU. */
export function cpuNumbers(): number {
  return Math.max(...rangesOf(readPossible()).map(([, last]) => last)) + 1;
}

function rangesOf(text: string, path: string = POSSIBLE): readonly (readonly [first: number, last: number])[] {
  return text
    .trim()
    .split(",")
    .map((range) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(range);
      const first = Number(match?.[1]);
      const last = Number(match?.[2] ?? match?.[1]);
      if (match === null || last < first)
        throw new PossibleCpusError(`"${text}" is not a CPU list; expected something like "0-7" in ${path}.`);
      return [first, last] as const;
    });
}
