import { type KernelOptions, type KernelTarget, traceArch } from "./kernel/index.ts";
import { KernelSession } from "./session.ts";

/** Whether one kind of trace can work here. */
export interface TraceAbility {
  readonly target: KernelTarget;
  readonly mode: KernelOptions["mode"];
  /** Why it cannot; undefined when its programs load. */
  readonly problem: Error | undefined;
  /** Whether the programs could use BPF_CMPXCHG (Linux 5.12). */
  readonly compareExchange: boolean;
}

const KINDS: readonly (readonly [KernelTarget, KernelOptions["mode"]])[] = [
  ["command", "calls"],
  ["command", "summary"],
  ["pids", "calls"],
  ["cgroup", "calls"],
];
/** As small as the kernel takes them: the programs are the same for every size. */
const RING_BYTES = 1 << 16;
const MAX_THREADS = 16;

/**
 * Loads the programs of each kind of trace and lets go of them again; nothing is attached. The one program that traces
 * run by hand is run, too. Throws nothing.
 */
export function probeTrace(): TraceAbility[] {
  return KINDS.map(([target, mode]) => {
    try {
      using session = KernelSession.load({
        target,
        mode,
        failedOnly: false,
        minNs: 0,
        ringBytes: RING_BYTES,
        maxThreads: MAX_THREADS,
        arch: traceArch(),
        compareExchange: true,
      });
      if (target === "command") session.awaitChild();
      return { target, mode, problem: undefined, compareExchange: session.compareExchange };
    } catch (error) {
      const problem = error instanceof Error ? error : new Error(String(error));
      return { target, mode, problem, compareExchange: false };
    }
  });
}
