import { openPerfEvent, type PerfEventOptions, SystemError } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import { Link } from "./link.ts";
import { attachToPerfEvent } from "./perf-link.ts";

/** Software events by name (linux/perf_event.h, enum perf_sw_ids). */
const SOFTWARE = {
  cpuClock: 0,
  taskClock: 1,
  pageFaults: 2,
  contextSwitches: 3,
  cpuMigrations: 4,
  minorFaults: 5,
  majorFaults: 6,
} as const;

/** Hardware events by name (enum perf_hw_id). Virtual machines often have no counters for them: ENOENT. */
const HARDWARE = {
  cycles: 0,
  instructions: 1,
  cacheReferences: 2,
  cacheMisses: 3,
  branches: 4,
  branchMisses: 5,
} as const;

export type PerfEventName = keyof typeof SOFTWARE | keyof typeof HARDWARE;

/** Which perf event runs the program, and how often. */
export interface SamplingOptions {
  readonly event: PerfEventName;
  /** Samples a second and CPU; or give `period`. */
  readonly frequency?: number;
  /** Events from one run to the next; nanoseconds for the clocks. */
  readonly period?: number;
  /** A process or thread; −1 (default) for whatever runs on the CPU. */
  readonly pid?: number;
  /** A CPU; −1 for every CPU the process runs on. Without a process one of them has to be named. */
  readonly cpu?: number;
  readonly cookie?: bigint;
}

/**
 * Runs a program of type `perf_event` each time a counter overflows: how profilers sample. Needs CAP_BPF and CAP_PERFMON.
 * Throws SystemError. The caller closes the link.
 */
export function attachPerfEvent(program: Attachable, options: SamplingOptions): Link {
  const { event, frequency, period, pid = -1, cpu = pid < 0 ? 0 : -1, cookie } = options;
  const isHardware = event in HARDWARE;
  const rate = frequency === undefined ? `every ${period ?? 1}` : `${frequency} times a second`;
  const description = `perf event ${event} ${rate}${pid < 0 ? "" : ` of process ${pid}`}${cpu < 0 ? "" : ` on CPU ${cpu}`}`;
  const request: PerfEventOptions = {
    type: isHardware ? "hardware" : "software",
    config: { ...SOFTWARE, ...HARDWARE }[event],
    pid,
    cpu,
    ...(frequency === undefined ? { samplePeriod: period ?? 1 } : { sampleFrequency: frequency }),
  };
  try {
    return attachToPerfEvent(program, openPerfEvent(request, description), description, { cookie });
  } catch (error) {
    if (!isHardware || !(error instanceof SystemError) || error.code !== "ENOENT") throw error;
    throw new SystemError({
      errno: error.errno,
      syscall: error.syscall,
      doing: `attach program "${program.name}" to ${description}`,
      hint: "This machine shows no counters of its processor, as most virtual machines: sample with cpuClock instead.",
      cause: error,
    });
  }
}

/** `attachPerfEvent` on each of some CPUs, as one link; when one fails, those made before it are undone. */
export function attachPerfEvents(
  program: Attachable,
  cpus: readonly number[],
  options: Omit<SamplingOptions, "cpu">,
): Link {
  const links: Link[] = [];
  const close = () => {
    for (const link of links) link.close();
  };
  try {
    for (const cpu of cpus) links.push(attachPerfEvent(program, { ...options, cpu }));
  } catch (error) {
    close();
    throw error;
  }
  return new Link(`perf event ${options.event} on ${cpus.length} CPUs`, { undo: close });
}
