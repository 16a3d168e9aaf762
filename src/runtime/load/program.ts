import type { ProgramSpec } from "../../object/spec/index.ts";
import { attachRawTracepoint, attachTracepoint, type Link } from "../link/index.ts";
import { type CapabilityName, type Fd, objectInfo, Pins } from "../sys/index.ts";
import {
  PROGRAM_INFO_SIZE,
  type ProgramDetails,
  type ProgramStats,
  programDetails,
  readStats,
} from "./program-details.ts";
import {
  type BenchmarkOptions,
  type BenchmarkResult,
  benchmark,
  type TestRunOptions,
  type TestRunResult,
  testRun,
} from "./test-run.ts";

/**
 * A loaded program. Whoever loaded it closes it; links keep the program running after that.
 */
export class Program {
  readonly name: string;
  readonly spec: ProgramSpec;
  readonly fd: Fd;
  /** Where it is pinned, as far as this object knows. */
  readonly pins: Pins = new Pins();

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

  /**
   * Runs the program once or often without attaching it (BPF_PROG_TEST_RUN, Linux 4.12; which types can be run differs from
   * kernel to kernel). Throws SystemError.
   */
  testRun(options: TestRunOptions = {}): TestRunResult {
    return testRun(this, options);
  }

  /**
   * Measures the program by running it very often in several rounds: what one run takes when all is in the caches, without
   * what it costs to get there. Throws what `testRun` does.
   */
  benchmark(options: BenchmarkOptions = {}): BenchmarkResult {
    return benchmark(this, options);
  }

  /** What the kernel counted. */
  stats(): ProgramStats {
    return readStats(objectInfo(this.fd, new Uint8Array(PROGRAM_INFO_SIZE)));
  }

  /** What the kernel tells of it. Throws SystemError. */
  details(): ProgramDetails {
    return programDetails(this);
  }

  /** Keeps it loaded under a path of a bpffs after this process (BPF_OBJ_PIN, Linux 4.4). Throws SystemError. */
  pin(path: string): void {
    this.pins.pin(this.fd, path, `program "${this.name}"`);
  }

  /** Removes the files it was pinned at or opened from by this object; it stays loaded while somebody holds it. */
  unpin(): void {
    this.pins.unpin();
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
    case "struct_ops":
      return ["CAP_BPF", "CAP_PERFMON"];
    case "ext":
      // It may stand in the place of any program.
      return ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"];
    case "socket_filter":
    case "cgroup_skb":
    case "sk_reuseport":
    case "sk_lookup":
    case "syscall":
      return ["CAP_BPF"];
    default:
      return ["CAP_BPF", "CAP_NET_ADMIN"];
  }
}
