import type { PerfEventOptions } from "../sys/index.ts";

/** Software events by name (linux/perf_event.h, enum perf_sw_ids). */
const SOFTWARE = {
  cpuClock: 0,
  taskClock: 1,
  pageFaults: 2,
  contextSwitches: 3,
  cpuMigrations: 4,
  minorFaults: 5,
  majorFaults: 6,
  alignmentFaults: 7,
  emulationFaults: 8,
  cgroupSwitches: 11,
} as const;

/** Hardware events by name (enum perf_hw_id). Virtual machines often have no counters for them: ENOENT. */
const HARDWARE = {
  cycles: 0,
  instructions: 1,
  cacheReferences: 2,
  cacheMisses: 3,
  branches: 4,
  branchMisses: 5,
  busCycles: 6,
  stalledCyclesFrontend: 7,
  stalledCyclesBackend: 8,
  referenceCycles: 9,
} as const;

/** enum perf_hw_cache_id, perf_hw_cache_op_id and perf_hw_cache_op_result_id. */
const CACHES = { l1d: 0, l1i: 1, ll: 2, dtlb: 3, itlb: 4, branch: 5, node: 6 } as const;
const OPERATIONS = { read: 0, write: 1, prefetch: 2 } as const;
const RESULTS = { access: 0, miss: 1 } as const;
/** linux/hw_breakpoint.h. */
const ACCESSES = { read: 1, write: 2, "read-write": 3, execute: 4 } as const;

/** A counter of the processor's caches; virtual machines often have none. */
export interface CacheEvent {
  readonly cache: keyof typeof CACHES;
  /** `read` when left out. */
  readonly operation?: keyof typeof OPERATIONS;
  /** `access` when left out. */
  readonly result?: keyof typeof RESULTS;
}

/**
 * A breakpoint of the processor's (it has four or so): somebody comes to an address, or reads or writes what is there. Addresses
 * are the process's, or the kernel's own. x86 knows none for reading alone.
 */
export interface BreakpointEvent {
  readonly breakpoint: bigint;
  readonly access: keyof typeof ACCESSES;
  /** Bytes that are watched, from a multiple of as many on; 4 when left out, and not for `execute`. */
  readonly length?: 1 | 2 | 4 | 8;
}

/**
 * Perf events that have a name: the kernel's own counts (`cpuClock`, `pageFaults`) and the processor's (`cycles`).
 */
export type PerfEventName = keyof typeof SOFTWARE | keyof typeof HARDWARE;

/** What a perf event counts. */
export type PerfEventKind = PerfEventName | CacheEvent | BreakpointEvent;

export interface DescribedKind {
  readonly description: string;
  readonly options: Pick<PerfEventOptions, "type" | "config" | "config1" | "config2" | "breakpointType">;
}

/** What perf_event_open(2) calls it. Throws RangeError for a name that there is not. */
export function describeKind(kind: PerfEventKind): DescribedKind {
  if (typeof kind === "string") {
    if (Object.hasOwn(SOFTWARE, kind)) {
      const config = SOFTWARE[kind as keyof typeof SOFTWARE];
      return { description: kind, options: { type: "software", config } };
    }
    const config = numberOf(HARDWARE, kind, "event");
    return { description: kind, options: { type: "hardware", config } };
  }
  if ("cache" in kind) {
    const { cache, operation = "read", result = "access" } = kind;
    const config =
      numberOf(CACHES, cache, "cache") |
      (numberOf(OPERATIONS, operation, "operation") << 8) |
      (numberOf(RESULTS, result, "result") << 16);
    return { description: `${cache} ${operation} ${result}`, options: { type: "hw_cache", config } };
  }
  const { breakpoint, access, length = 4 } = kind;
  const breakpointType = numberOf(ACCESSES, access, "access");
  // The length of one that is executed is a long's, whatever the instruction is.
  const bytes = access === "execute" ? 8 : length;
  return {
    description: `${access} of 0x${breakpoint.toString(16)}`,
    options: { type: "breakpoint", config: 0, config1: breakpoint, config2: bytes, breakpointType },
  };
}

function numberOf(table: Readonly<Record<string, number>>, name: string, what: string): number {
  const number = Object.hasOwn(table, name) ? table[name] : undefined;
  if (number !== undefined) return number;
  throw new RangeError(`There is no ${what} "${name}" of perf's; there are ${Object.keys(table).join(", ")}.`);
}
