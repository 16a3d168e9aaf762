import { readFileSync } from "node:fs";
import { BpfAttr, Fd, ioctl, openPerfEvent, PerfIoctl, SystemError } from "../sys/index.ts";
import { Link } from "./link.ts";

const TRACEFS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];
const BPF_PERF_EVENT = 41;
const EEXIST = 17;
const EINVAL = 22;

/** A tracepoint that is not there, or tracefs that is not mounted or not readable. */
export class TracepointError extends Error {
  override readonly name = "TracepointError";
  readonly code = "SKEP_TRACEPOINT";
}

/**
 * Attaches a program of type `tracepoint` to `group:name` (`syscalls:sys_enter_openat`), through a perf event; as a BPF
 * link from Linux 5.15, with PERF_EVENT_IOC_SET_BPF before. The program runs for every process on every CPU, whatever the
 * perf event is opened for: it must filter by itself. Needs tracefs and CAP_PERFMON. The caller closes the link.
 */
export function attachTracepoint(program: Fd, programName: string, tracepoint: string): Link {
  const description = `tracepoint ${tracepoint}`;
  const event = openPerfEvent(
    { type: "tracepoint", config: tracepointId(tracepoint), pid: -1, cpu: 0 },
    `perf event of ${description}`,
  );
  try {
    const result = new BpfAttr()
      .u32(0, program.number)
      .u32(4, event.number)
      .u32(8, BPF_PERF_EVENT)
      .call("BPF_LINK_CREATE");
    if (result >= 0)
      return new Link(description, [new Fd(result, `link of program "${programName}" to ${description}`), event]);
    if (result !== -EINVAL) throw failure("bpf(BPF_LINK_CREATE)", -result, programName, description);
    const set = ioctl(event, PerfIoctl.set_bpf, program.number);
    if (set < 0) throw failure("ioctl(PERF_EVENT_IOC_SET_BPF)", -set, programName, description);
    const enable = ioctl(event, PerfIoctl.enable, 0);
    if (enable < 0) throw failure("ioctl(PERF_EVENT_IOC_ENABLE)", -enable, programName, description);
    return new Link(description, [event]);
  } catch (error) {
    event.close();
    throw error;
  }
}

function failure(syscall: string, errno: number, program: string, description: string): SystemError {
  return new SystemError({
    errno,
    syscall,
    doing: `attach program "${program}" to ${description}`,
    hint:
      errno === EEXIST
        ? "This very program is attached to it already: close that link first, or load the program once more."
        : undefined,
    needs: ["CAP_BPF", "CAP_PERFMON"],
  });
}

function tracepointId(tracepoint: string): number {
  const match = /^([A-Za-z0-9_]+)[:/]([A-Za-z0-9_]+)$/.exec(tracepoint);
  if (match === null)
    throw new TracepointError(`"${tracepoint}" is not a tracepoint: write it as group:name, e.g. sched:sched_switch.`);
  for (const root of TRACEFS) {
    try {
      return Number(readFileSync(`${root}/events/${match[1]}/${match[2]}/id`, "latin1"));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EACCES" || code === "EPERM") {
        throw new TracepointError(
          `The id of tracepoint ${tracepoint} is in ${root}, which this user may not read. Raw tracepoints need no tracefs.`,
        );
      }
    }
  }
  const mounted = TRACEFS.some((root) => exists(`${root}/events`));
  throw new TracepointError(
    mounted
      ? `This kernel has no tracepoint ${tracepoint}.`
      : "tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing (as root), or attach to a raw tracepoint, which needs none.",
  );
}

function exists(path: string): boolean {
  try {
    readFileSync(`${path}/header_page`);
    return true;
  } catch {
    return false;
  }
}
