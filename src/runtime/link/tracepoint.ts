import { openPerfEvent } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import type { Link } from "./link.ts";
import { attachToPerfEvent } from "./perf-link.ts";
import { TracepointError, tracepointId } from "./tracefs.ts";

/**
 * Attaches a program of type `tracepoint` to `group:name` (`syscalls:sys_enter_openat`), through a perf event; as a BPF
 * link from Linux 5.15, with PERF_EVENT_IOC_SET_BPF before. The program runs for every process on every CPU, whatever the
 * perf event is opened for: it must filter by itself. Needs tracefs and CAP_PERFMON. The caller closes the link.
 */
export function attachTracepoint(program: Attachable, tracepoint: string): Link {
  const match = /^([A-Za-z0-9_]+)[:/]([A-Za-z0-9_]+)$/.exec(tracepoint);
  if (match === null)
    throw new TracepointError(`"${tracepoint}" is not a tracepoint: write it as group:name, e.g. sched:sched_switch.`);
  const description = `tracepoint ${tracepoint}`;
  const config = tracepointId(match[1] as string, match[2] as string);
  const event = openPerfEvent({ type: "tracepoint", config, pid: -1, cpu: 0 }, `perf event of ${description}`);
  return attachToPerfEvent(program, event, description);
}
