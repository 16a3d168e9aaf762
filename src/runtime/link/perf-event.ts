import { openPerfEvent, type PerfEventOptions, SystemError } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import { Link } from "./link.ts";
import { describeKind, type PerfEventKind } from "./perf-event-kind.ts";
import { attachToPerfEvent } from "./perf-link.ts";

/** Which perf event runs the program, and how often. */
export interface SamplingOptions {
  readonly event: PerfEventKind;
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
 * Runs a program of type `perf_event` each time a counter overflows, which is how profilers sample, or somebody comes to a
 * breakpoint. Needs CAP_BPF and CAP_PERFMON. Throws SystemError. The caller closes the link.
 */
export function attachPerfEvent(program: Attachable, options: SamplingOptions): Link {
  const { event, frequency, period, pid = -1, cpu = pid < 0 ? 0 : -1, cookie } = options;
  const kind = describeKind(event);
  const rate = frequency === undefined ? `every ${period ?? 1}` : `${frequency} times a second`;
  const description = `perf event ${kind.description} ${rate}${pid < 0 ? "" : ` of process ${pid}`}${cpu < 0 ? "" : ` on CPU ${cpu}`}`;
  const request: PerfEventOptions = {
    ...kind.options,
    pid,
    cpu,
    ...(frequency === undefined ? { samplePeriod: period ?? 1 } : { sampleFrequency: frequency }),
  };
  try {
    return attachToPerfEvent(program, openPerfEvent(request, description), description, { cookie });
  } catch (error) {
    if (!(error instanceof SystemError) || error.syscall !== "perf_event_open") throw error;
    const hint = HINTS[request.type]?.[error.code];
    if (hint === undefined) throw error;
    throw new SystemError({
      errno: error.errno,
      syscall: error.syscall,
      doing: `attach program "${program.name}" to ${description}`,
      hint,
      cause: error,
    });
  }
}

const NO_COUNTERS =
  "This machine shows no counters of its processor, as most virtual machines: sample with cpuClock instead.";
const COUNTER_HINTS: Readonly<Record<string, string>> = {
  ENOENT: NO_COUNTERS,
  ENODEV: NO_COUNTERS,
  EOPNOTSUPP: NO_COUNTERS,
  EINVAL: "The processor has no such counter: not each cache counts each operation.",
};
const BREAKPOINT_HINTS: Readonly<Record<string, string>> = {
  EINVAL:
    "The address is no multiple of the length, or is not the process's; x86 has no breakpoint for reading alone (take read-write).",
  ENOSPC: "All breakpoints of the processor are in use, by others of this process or by a debugger.",
  ENOENT: "This kernel has no breakpoints (CONFIG_HAVE_HW_BREAKPOINT).",
};

/** By the kind of event and the error's code. */
const HINTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  hardware: COUNTER_HINTS,
  hw_cache: COUNTER_HINTS,
  breakpoint: BREAKPOINT_HINTS,
};

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
  return new Link(`perf event ${describeKind(options.event).description} on ${cpus.length} CPUs`, { undo: close });
}
