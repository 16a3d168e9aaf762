import type { ProgramSpec } from "../../object/spec/index.ts";
import { attachRawTracepoint, attachTracepoint, type Link } from "../link/index.ts";
import { BpfAttr, type CapabilityName, type Fd, objectInfo, SystemError } from "../sys/index.ts";

/** What a program is run with by `testRun`. */
export interface TestRunOptions {
  /** The packet, for networking programs (at least 14 bytes). */
  readonly data?: Uint8Array;
  /** The context structure, for program types that take one; raw tracepoints: their arguments as u64s. */
  readonly context?: Uint8Array;
  /** How often; the duration is the mean. */
  readonly repeat?: number;
  /** Room for the packet as the program left it; 0 (default) when it is not wanted. */
  readonly dataOutSize?: number;
}

export interface TestRunResult {
  /** The program's return value, as a u32. */
  readonly retval: number;
  /** Mean nanoseconds of one run. */
  readonly durationNs: number;
  /** The packet afterwards, when `dataOutSize` was given. */
  readonly dataOut: Uint8Array | undefined;
}

/** What the kernel counted for a program (bpf_prog_info); run times only while statistics are enabled. */
export interface ProgramStats {
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
  /** Runs skipped because the program was already running on that CPU (Linux 5.12; 0 before). */
  readonly recursionMisses: bigint;
}

/**
 * A loaded program. Whoever loaded it closes it; links keep the program running after that.
 */
export class Program {
  readonly name: string;
  readonly spec: ProgramSpec;
  readonly fd: Fd;

  constructor(name: string, spec: ProgramSpec, fd: Fd) {
    this.name = name;
    this.spec = spec;
    this.fd = fd;
  }

  /**
   * Attaches a program of type `raw_tracepoint` to a tracepoint by its bare name (`sys_enter`), Linux 4.17. The link is
   * the caller's to close. Needs CAP_BPF and CAP_PERFMON.
   */
  attachRawTracepoint(tracepoint: string): Link {
    return attachRawTracepoint(this, tracepoint);
  }

  /**
   * Attaches a program of type `tracepoint` to `group:name`; it runs for every process. Throws TracepointError without
   * tracefs. The link is the caller's to close. Needs CAP_PERFMON.
   */
  attachTracepoint(tracepoint: string): Link {
    return attachTracepoint(this, tracepoint);
  }

  /** Runs the program once or often without attaching it (BPF_PROG_TEST_RUN). */
  testRun(options: TestRunOptions = {}): TestRunResult {
    const data = options.data ?? new Uint8Array(0);
    const context = options.context ?? new Uint8Array(0);
    const out = new Uint8Array(options.dataOutSize ?? 0);
    const attr = new BpfAttr()
      .u32(0, this.fd.number)
      .u32(8, data.length)
      .u32(12, out.length)
      .pointer(16, data)
      .pointer(24, out)
      .u32(32, options.repeat ?? 0)
      .u32(40, context.length)
      .pointer(48, context);
    const result = attr.call("BPF_PROG_TEST_RUN");
    if (result < 0) {
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_PROG_TEST_RUN)",
        doing: `run program "${this.name}"`,
        hint: result === -524 ? `Programs of type ${this.spec.type} cannot be test-run on this kernel.` : undefined,
      });
    }
    return {
      retval: attr.read32(4),
      durationNs: attr.read32(36),
      dataOut: options.dataOutSize === undefined ? undefined : out.slice(0, Math.min(out.length, attr.read32(12))),
    };
  }

  stats(): ProgramStats {
    // struct bpf_prog_info: run_time_ns at 192, run_cnt at 200, recursion_misses at 208 (linux/bpf.h).
    const view = objectInfo(this.fd, new Uint8Array(232));
    return {
      runTimeNs: view.getBigUint64(192, true),
      runCount: view.getBigUint64(200, true),
      recursionMisses: view.getBigUint64(208, true),
    };
  }

  close(): void {
    this.fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Which capabilities loading a program of this type asks for (capabilities(7)). */
export function neededCapabilities(type: ProgramSpec["type"]): readonly CapabilityName[] {
  switch (type) {
    case "kprobe":
    case "tracepoint":
    case "raw_tracepoint":
    case "raw_tracepoint_writable":
    case "perf_event":
    case "tracing":
    case "lsm":
    case "ext":
      return ["CAP_BPF", "CAP_PERFMON"];
    case "socket_filter":
    case "syscall":
    case "struct_ops":
      return ["CAP_BPF"];
    default:
      return ["CAP_BPF", "CAP_NET_ADMIN"];
  }
}
