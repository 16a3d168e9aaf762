import { readdirSync, readlinkSync } from "node:fs";
import type { RingBufferReader } from "../../sdk/index.ts";
import type { FdSnapshot } from "./decode/index.ts";
import type { TraceSink } from "./events.ts";
import { abiOf } from "./kernel/index.ts";
import { cloneNumbers, nameOfCall } from "./names.ts";
import { encodePlans } from "./plan.ts";
import { KernelSession, type TraceLosses } from "./session.ts";
import { type CallStatistics, sumStatistics } from "./statistics.ts";
import { Tracker } from "./tracker.ts";

/** Whose system calls are traced. */
export type TraceTarget =
  | { readonly kind: "command" }
  | { readonly kind: "pids"; readonly pids: readonly number[] }
  | { readonly kind: "cgroup"; readonly path: string };

export interface TracingOptions {
  readonly target: TraceTarget;
  /** Numbers of the calls to report; all when left out. */
  readonly calls?: ReadonlySet<number> | undefined;
  /** Only calls that return an error. */
  readonly failedOnly?: boolean;
  /** Only calls that take at least this many nanoseconds. */
  readonly minNs?: number;
  /** Where calls go as they end; without it only statistics are kept, which costs several times less. */
  readonly sink?: TraceSink;
  /** Bytes of the ring between kernel and reader, a power of two; 4 MiB when left out. */
  readonly ringBytes?: number;
  /** Threads that can be followed at a time; 16384 when left out. */
  readonly maxThreads?: number;
}

const RING_BYTES = 4 << 20;
const MAX_THREADS = 16_384;

/**
 * A running trace. The filters work in the kernel: nothing of any other process is ever copied. The target set follows
 * fork, clone, exec and exit in the kernel, too, so no call of a new process is missed.
 *
 * Whoever starts one closes it. Needs CAP_BPF and CAP_PERFMON, Linux 5.8.
 */
export class Tracing {
  readonly #session: KernelSession;
  readonly #reader: RingBufferReader<void> | undefined;
  #lossesAtEnd: TraceLosses | undefined;

  private constructor(session: KernelSession, reader: RingBufferReader<void> | undefined) {
    this.#session = session;
    this.#reader = reader;
  }

  /**
   * Loads and attaches. For a command, call `awaitChild()` and start the process from the same thread right after.
   * Throws SystemError (EPERM names the missing capability) or VerifierError; then nothing stays attached.
   */
  static start(options: TracingOptions): Tracing {
    const { target, sink } = options;
    const session = KernelSession.load({
      target: target.kind,
      mode: sink === undefined ? "summary" : "calls",
      failedOnly: options.failedOnly ?? false,
      minNs: options.minNs ?? 0,
      ringBytes: options.ringBytes ?? RING_BYTES,
      maxThreads: options.maxThreads ?? MAX_THREADS,
      abi: abiOf(process.arch),
      compareExchange: true,
    });
    try {
      session.setPlans(encodePlans(process.arch, options.calls));
      if (target.kind === "pids") for (const pid of target.pids) session.addRoot(pid);
      if (target.kind === "cgroup") session.setCgroup(target.path);
      let reader: RingBufferReader<void> | undefined;
      if (sink !== undefined) {
        const tracker = new Tracker(sink, {
          nameOf: nameOfCall,
          cloneNumbers: cloneNumbers(process.arch),
          snapshot: openFiles,
        });
        reader = session.reader((record) => tracker.take(record)).listen(() => {});
      }
      session.attach();
      return new Tracing(session, reader);
    } catch (error) {
      session.close();
      throw error;
    }
  }

  /** The next process this thread starts is the command: it is traced from its exec on. */
  awaitChild(): void {
    this.#session.awaitChild();
  }

  /** Whether any traced thread is alive. */
  hasThreads(): boolean {
    return this.#session.hasThreads();
  }

  /** Stops the reporting and delivers what is still in the ring. */
  stop(): void {
    this.#session.detach();
    this.#reader?.consume(() => {});
    this.#lossesAtEnd = this.#session.losses();
  }

  /** What was lost so far, or until `stop()`. */
  losses(): TraceLosses {
    return this.#lossesAtEnd ?? this.#session.losses();
  }

  /** Statistics of every call that was made; only without a sink. */
  statistics(): CallStatistics[] {
    const rows: CallStatistics[] = [];
    this.#session.stats().forEach((perCpu, nr) => {
      const row = sumStatistics(nr, perCpu);
      if (row !== undefined) rows.push(row);
    });
    return rows;
  }

  close(): void {
    this.#reader?.close();
    this.#session.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Open files of a process that lives already (proc_pid_fd(5)); what cannot be read is left out. */
export function openFiles(pid: number): FdSnapshot {
  const files = new Map<number, string>();
  let cwd: string | undefined;
  try {
    cwd = readlinkSync(`/proc/${pid}/cwd`);
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        files.set(Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        // Closed between the two reads.
      }
    }
  } catch {
    // The process is gone, or not ours to look at: its descriptors show as numbers.
  }
  return { files, cwd };
}
