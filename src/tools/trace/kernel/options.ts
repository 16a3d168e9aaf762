/** Whose calls are reported. All of it is decided in the kernel. */
export type KernelTarget =
  /** The next child of Skep's own thread, and all that come from it. */
  | "command"
  /** The processes in the `roots` map, and their later children. */
  | "pids"
  /** Every process in the cgroup (or one below it) in slot 0 of the `cgroup` map. */
  | "cgroup";

/** A pid namespace by its file (stat(2) of /proc/self/ns/pid). */
export interface PidNamespace {
  readonly device: number;
  readonly inode: number;
}

export interface KernelOptions {
  readonly target: KernelTarget;
  /** `calls`: a record for each call. `summary`: statistics only, nothing is copied. */
  readonly mode: "calls" | "summary";
  /** Only calls that return an error. */
  readonly failedOnly: boolean;
  /** Only calls of at least this many nanoseconds. */
  readonly minNs: number;
  /** Bytes of the event ring. */
  readonly ringBytes: number;
  /** Threads followed at a time. */
  readonly maxThreads: number;
  /** Of the CPU, as `traceArch` knows it. */
  readonly arch: "x64" | "arm64";
  /**
   * See calls through perf's tracepoints and not through raw ones, because those can be preempted on this kernel (Linux
   * 7): a thread that is put aside in the middle of a program makes the kernel skip it for every other on that CPU.
   */
  readonly throughPerf?: boolean;
  /** Skep's own pid namespace, when it is not the machine's first one: ids are then told as they are in it. */
  readonly pidNamespace?: PidNamespace | undefined;
  /** Whether this kernel has BPF_CMPXCHG (Linux 5.12). */
  readonly compareExchange: boolean;
}
