import { bytes, MapFlag, type MapSpec, type ObjectSpec, u8, u32 } from "../../../sdk/index.ts";
import { ALL_PLANS, Control, PLANS, Plan, STATS_SIZE, Step, Thread } from "./layout.ts";
import type { KernelOptions } from "./options.ts";
import { assemblePrograms } from "./programs.ts";

/** The maps of every mode. `threads` is allocated as needed where the kernel does that safely for tracing (Linux 6.1). */
export function traceMaps(options: KernelOptions, preallocate: boolean) {
  const flags = preallocate ? 0 : MapFlag.no_prealloc;
  return {
    threads: { type: "hash", keySize: 8, valueSize: Thread.size, maxEntries: options.maxThreads, flags },
    control: { type: "array", key: u32, value: bytes(Control.size), maxEntries: 1 },
    syscalls: { type: "array", key: u32, value: bytes(Plan.size * ALL_PLANS), maxEntries: 1 },
  } as const satisfies Record<string, MapSpec>;
}

/**
 * The raw tracepoint each program goes to, in the order they are attached: exits before entries, so none is half seen. A
 * program of type `tracepoint` goes to the one of the same name in `perfGroup`.
 */
export const TRACEPOINTS = {
  thread_exit: "sched_process_exit",
  fork: "sched_process_fork",
  fork_2: "sched_process_fork",
  signal_sent: "signal_generate",
  signal_sent_2: "signal_generate",
  signal: "signal_deliver",
  exit: "sys_exit",
  enter: "sys_enter",
} as const;

/** The group that perf's tracepoint of a program is in. */
export function perfGroup(program: string): string {
  if (program === "thread_exit") return "sched";
  return program === "signal" ? "signal" : "raw_syscalls";
}

/** The whole object for these options. */
export function traceSpec(options: KernelOptions, preallocate: boolean): ObjectSpec {
  const maps: Record<string, MapSpec> = { ...traceMaps(options, preallocate) };
  if (options.mode === "calls") maps["events"] = { type: "ringbuf", maxEntries: options.ringBytes };
  else maps["stats"] = { type: "percpu_array", key: u32, value: bytes(STATS_SIZE), maxEntries: PLANS };
  if (options.target === "pids") maps["roots"] = { type: "hash", key: u32, value: u8, maxEntries: 1024 };
  if (options.target === "cgroup") maps["cgroup"] = { type: "cgroup_array", keySize: 4, valueSize: 4, maxEntries: 1 };
  if (options.mode === "calls")
    maps["steps"] = {
      type: "prog_array",
      keySize: 4,
      valueSize: 4,
      maxEntries: Step.count,
      slots: { [Step.capture]: "capture", [Step.report]: "report" },
    };
  return { maps, programs: assemblePrograms(options) };
}
