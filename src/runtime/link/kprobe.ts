import { openPerfEvent, SystemError } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import type { Link } from "./link.ts";
import { attachToPerfEvent } from "./perf-link.ts";
import { probeDevice } from "./probe-device.ts";
import { defineProbe } from "./tracefs.ts";

/** Where in the function `attachKprobe` attaches, and by which way. */
export interface KprobeOptions {
  /** Bytes into the function; 0, its beginning, when left out. Must be an instruction's first byte. */
  readonly offset?: number;
  /** What `bpf_get_attach_cookie` gives in the program (Linux 5.15). */
  readonly cookie?: bigint;
  /** `tracefs` defines the probe by name there, as kernels before 4.17 needed; by itself this is the fall-back. */
  readonly through?: "perf" | "tracefs";
}

/** Attaches a program of type `kprobe` to a kernel function. It runs for every process: it must filter by itself. Needs
 * CAP_BPF and CAP_PERFMON. Throws SystemError; ENOENT where the kernel has no such function. The caller closes the link. */
export function attachKprobe(program: Attachable, symbol: string, options: KprobeOptions = {}): Link {
  return attach(program, symbol, false, options);
}

/** `attachKprobe` at the function's return. */
export function attachKretprobe(
  program: Attachable,
  symbol: string,
  options: Omit<KprobeOptions, "offset"> = {},
): Link {
  return attach(program, symbol, true, options);
}

function attach(program: Attachable, symbol: string, isReturn: boolean, options: KprobeOptions): Link {
  const { offset = 0, cookie, through } = options;
  const where = offset === 0 ? symbol : `${symbol}+0x${offset.toString(16)}`;
  const description = `${isReturn ? "kretprobe" : "kprobe"} ${where}`;
  const device = through === "tracefs" ? undefined : probeDevice("kprobe");
  const what = `perf event of ${description}`;
  if (device === undefined && through === "perf") throw noProbes(program, description);
  if (device === undefined) {
    const probe = defineProbe("kprobe_events", isReturn, where);
    try {
      const event = openPerfEvent({ type: "tracepoint", config: probe.id, pid: -1, cpu: 0 }, what);
      return attachToPerfEvent(program, event, description, { cookie, undo: probe.remove });
    } catch (error) {
      probe.remove();
      throw error;
    }
  }
  const config = isReturn ? device.returnBit : 0n;
  try {
    const event = openPerfEvent({ type: device.type, config, config1: symbol, config2: offset, pid: -1, cpu: 0 }, what);
    return attachToPerfEvent(program, event, description, { cookie });
  } catch (error) {
    if (!(error instanceof SystemError) || error.syscall !== "perf_event_open" || error.code === "EACCES") throw error;
    throw new SystemError({
      errno: error.errno,
      syscall: error.syscall,
      doing: `attach program "${program.name}" to ${description}`,
      hint: HINTS[error.code],
      needs: ["CAP_PERFMON"],
      cause: error,
    });
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT:
    "This kernel has no such function that can be probed: it may be inlined, or have a suffix (name.isra.0); see /proc/kallsyms.",
  EINVAL:
    "The function is on the kernel's list of those that must not be probed, or the offset is not the first byte of an instruction.",
  EADDRNOTAVAIL: "The kernel has several functions of that name, or the address cannot be probed.",
  EILSEQ: "The offset is not the first byte of an instruction.",
};

function noProbes(program: Attachable, description: string): SystemError {
  return new SystemError({
    errno: 2,
    syscall: "perf_event_open",
    doing: `attach program "${program.name}" to ${description}`,
    hint: "This kernel has no kprobes (CONFIG_KPROBE_EVENTS), or sysfs is not mounted; tracepoints and tp_btf need none.",
  });
}
