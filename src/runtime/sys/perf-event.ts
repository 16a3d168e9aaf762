import { readFileSync } from "node:fs";
import { type CapabilityName, explainPermission, hasCapability } from "./capability.ts";
import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

/** perf_event_open(2): kinds of events and the ioctls used on them (linux/perf_event.h). */
export const PerfType = { hardware: 0, software: 1, tracepoint: 2, hw_cache: 3, raw: 4, breakpoint: 5 } as const;
const PERF_FLAG_FD_CLOEXEC = 8;
export const PerfIoctl = {
  enable: 0x2400,
  disable: 0x2401,
  set_output: 0x2405,
  set_bpf: 0x40042408,
  pause_output: 0x40042409,
} as const;

/** Bits of the attribute's flag word. */
const FREQUENCY = 1n << 10n;
const WATERMARK = 1n << 14n;
const WRITE_BACKWARD = 1n << 27n;
/** PERF_FORMAT_LOST */
const COUNTS_LOST = 1n << 4n;

const EACCES = 13;
const PARANOID =
  "Without CAP_PERFMON kernel.perf_event_paranoid decides: at 2 a process may watch its own user code, above that nothing.";

export interface PerfEventOptions {
  /** A kind by name, or the number of a device (`/sys/bus/event_source/devices/NAME/type`). */
  readonly type: keyof typeof PerfType | number;
  readonly config: number | bigint;
  /** Process or thread; −1 for all. */
  readonly pid: number;
  /** CPU; −1 for any. */
  readonly cpu: number;
  /** Events between samples; 0 for none. */
  readonly samplePeriod?: number;
  /** Samples a second, instead of a period. */
  readonly sampleFrequency?: number;
  /** `config1`: a number, or a text that it points to (a kprobe's function, a uprobe's file). */
  readonly config1?: number | bigint | string;
  /** `config2`: a probe's offset or address. */
  readonly config2?: number | bigint;
  /** For breakpoints: 1 read, 2 write, 4 execute. */
  readonly breakpointType?: number;
  /** What its records hold: a sum of PERF_SAMPLE_* bits. */
  readonly sampleType?: number;
  /** How often whoever waits for its buffer is woken: every so many records, or bytes. */
  readonly wakeup?: { readonly events: number } | { readonly bytes: number };
  /** The buffer is written from its end to its beginning, over what is there (Linux 4.7). */
  readonly writeBackward?: boolean;
  /** `perfEventLost` can be asked (Linux 6.0). */
  readonly countsLost?: boolean;
}

/**
 * Opens a perf event, disabled events excepted: it counts from the start. `needs` are the capabilities for it, where it is not
 * CAP_PERFMON; a function is only asked when it is refused. The caller closes it.
 */
export function openPerfEvent(
  options: PerfEventOptions,
  what: string,
  needs: readonly CapabilityName[] | (() => readonly CapabilityName[]) = ["CAP_PERFMON"],
): Fd {
  const SIZE = 112; // PERF_ATTR_SIZE_VER5, known since Linux 4.1
  const attr = new DataView(new ArrayBuffer(SIZE));
  const { type, config1 } = options;
  attr.setUint32(0, typeof type === "number" ? type : PerfType[type], true);
  attr.setUint32(4, SIZE, true);
  attr.setBigUint64(8, BigInt(options.config), true);
  attr.setBigUint64(16, BigInt(options.sampleFrequency ?? options.samplePeriod ?? 1), true);
  const { wakeup } = options;
  const flags =
    (options.sampleFrequency === undefined ? 0n : FREQUENCY) |
    (wakeup !== undefined && "bytes" in wakeup ? WATERMARK : 0n) |
    (options.writeBackward === true ? WRITE_BACKWARD : 0n);
  attr.setBigUint64(24, BigInt(options.sampleType ?? 0), true);
  if (options.countsLost === true) attr.setBigUint64(32, COUNTS_LOST, true);
  attr.setBigUint64(40, flags, true);
  if (wakeup !== undefined) attr.setUint32(48, "bytes" in wakeup ? wakeup.bytes : wakeup.events, true);
  if (options.breakpointType !== undefined) attr.setUint32(52, options.breakpointType, true);
  // Kept until the call has been made.
  const text = typeof config1 === "string" ? new Uint8Array(Buffer.from(`${config1}\0`, "utf8")) : undefined;
  attr.setBigUint64(
    56,
    BigInt(text === undefined ? ((config1 as number | bigint | undefined) ?? 0) : native().addressOf(text)),
    true,
  );
  attr.setBigUint64(64, BigInt(options.config2 ?? 0), true);
  const result = native().syscall(nr.perf_event_open, attr, options.pid, options.cpu, -1, PERF_FLAG_FD_CLOEXEC);
  if (result < 0) {
    // perf refuses with EACCES where others say EPERM (perf_event_open(2)).
    const needed = typeof needs === "function" ? needs() : needs;
    const hint = result === -EACCES ? refusal(needed) : undefined;
    throw new SystemError({
      errno: -result,
      syscall: "perf_event_open",
      doing: `open ${what}`,
      hint,
      needs: needed,
    });
  }
  void text;
  return new Fd(result, what);
}

/** Why perf refused, by the capabilities and settings of this process and machine. */
function refusal(needs: readonly CapabilityName[]): string {
  const level = paranoia();
  // Debian's kernels and Ubuntu's know a level above the kernel's own highest, at which CAP_PERFMON does not count.
  if (level === undefined || level <= 2 || !hasCapability("CAP_PERFMON") || hasCapability("CAP_SYS_ADMIN"))
    return `${explainPermission(needs)} ${PARANOID}`;
  return `kernel.perf_event_paranoid is ${level}, and this kernel then wants CAP_SYS_ADMIN: set it to 2 (sysctl kernel.perf_event_paranoid=2, as root), where CAP_PERFMON is enough, or give node CAP_SYS_ADMIN.`;
}

function paranoia(): number | undefined {
  try {
    return Number(readFileSync("/proc/sys/kernel/perf_event_paranoid", "latin1"));
  } catch {
    return undefined;
  }
}

/** ioctl(2) with a number; the result, or −errno. */
export function ioctl(fd: Fd, request: number, argument: number): number {
  return native().syscall(nr.ioctl, fd.number, request, argument);
}

/** How many records an event had no room for, of those opened with `countsLost` (PERF_FORMAT_LOST, Linux 6.0). */
export function perfEventLost(fd: Fd): number {
  // The count of events, then the lost ones.
  const values = new BigUint64Array(2);
  const result = native().syscall(nr.read, fd.number, values, values.byteLength);
  if (result < 0) throw new SystemError({ errno: -result, syscall: "read", doing: `ask ${fd.what} for what it lost` });
  return Number(values[1]);
}
