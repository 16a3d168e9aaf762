import {
  Assembler,
  bytes,
  MapFlag,
  type MapSpec,
  type ObjectSpec,
  type ProgramSpec,
  r0,
  r1,
  u8,
  u32,
} from "../../../sdk/index.ts";
import { captureProgram } from "./capture-program.ts";
import { enterProgram } from "./enter.ts";
import { exitProgram, reportProgram } from "./exit.ts";
import { Control, PLANS, Plan, STATS_SIZE, Step, Thread } from "./layout.ts";
import { forkProgram, signalProgram, signalSentProgram, threadExitProgram } from "./lifecycle.ts";
import type { KernelOptions } from "./options.ts";

const LICENSE = "Dual MIT/GPL";

function program(name: string, instructions: ProgramSpec["instructions"]): ProgramSpec {
  return { type: "raw_tracepoint", name: `skep_${name}`, instructions, license: LICENSE };
}

/** The maps of every mode. `threads` is allocated as needed where the kernel does that safely for tracing (Linux 6.1). */
export function traceMaps(options: KernelOptions, preallocate: boolean) {
  const flags = preallocate ? 0 : MapFlag.no_prealloc;
  return {
    threads: { type: "hash", keySize: 8, valueSize: Thread.size, maxEntries: options.maxThreads, flags },
    control: { type: "array", key: u32, value: bytes(Control.size), maxEntries: 1 },
    syscalls: { type: "array", key: u32, value: bytes(Plan.size * PLANS), maxEntries: 1 },
  } as const satisfies Record<string, MapSpec>;
}

/** The raw tracepoint each program goes to, in the order they are attached: exits before entries, so none is half seen. */
export const TRACEPOINTS = {
  thread_exit: "sched_process_exit",
  fork: "sched_process_fork",
  signal_sent: "signal_generate",
  signal: "signal_deliver",
  exit: "sys_exit",
  enter: "sys_enter",
} as const;

/** Writes the current thread's task_struct address into the control map; run by hand, never attached. */
function whoProgram(): ProgramSpec["instructions"] {
  const a = new Assembler();
  a.call("get_current_task").loadMapValue(r1, "control", Control.parent).store("u64", r1, 0, r0).mov(r0, 0).exit();
  return a.instructions();
}

/** The whole object for these options. */
export function traceSpec(options: KernelOptions, preallocate: boolean): ObjectSpec {
  const maps: Record<string, MapSpec> = { ...traceMaps(options, preallocate) };
  if (options.mode === "calls") maps["events"] = { type: "ringbuf", maxEntries: options.ringBytes };
  else maps["stats"] = { type: "percpu_array", key: u32, value: bytes(STATS_SIZE), maxEntries: PLANS };
  if (options.target === "pids") maps["roots"] = { type: "hash", key: u32, value: u8, maxEntries: 1024 };
  if (options.target === "cgroup") maps["cgroup"] = { type: "cgroup_array", keySize: 4, valueSize: 4, maxEntries: 1 };
  const programs: Record<string, ProgramSpec> = {
    thread_exit: program("thread_exit", threadExitProgram(options)),
    fork: program("fork", forkProgram(options)),
    exit: program("exit", exitProgram(options)),
    enter: program("enter", enterProgram(options)),
  };
  if (options.target === "command") programs["who"] = program("who", whoProgram());
  if (options.mode === "calls") {
    maps["steps"] = { type: "prog_array", keySize: 4, valueSize: 4, maxEntries: Step.count };
    programs["capture"] = program("capture", captureProgram());
    programs["report"] = program("report", reportProgram());
    programs["signal_sent"] = program("signal_sent", signalSentProgram());
    programs["signal"] = program("signal", signalProgram(options));
  }
  return { maps, programs };
}
