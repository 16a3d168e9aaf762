import { readdirSync, readlinkSync, statSync } from "node:fs";
import type { RingBufferReader } from "../../sdk/index.ts";
import type { FdSnapshot, Opened } from "./decode/index.ts";
import type { TraceSink } from "./events.ts";
import { type KernelOptions, type PidNamespace, traceArch } from "./kernel/index.ts";
import { encodePlans } from "./plan.ts";
import { reading } from "./reading.ts";
import { KernelSession, lacksCompareExchange, type TraceLosses } from "./session.ts";
import type { CallStatistics } from "./statistics.ts";
import type { Tracker } from "./tracker.ts";

/** Whose system calls are traced. */
export type TraceTarget =
  | { readonly kind: "command" }
  | { readonly kind: "pids"; readonly pids: readonly number[] }
  | { readonly kind: "cgroup"; readonly path: string };

/** What a `Tracing` follows, and which of its calls it reports. */
export interface TracingOptions {
  readonly target: TraceTarget;
  /** Numbers of the calls to report; all when left out. */
  readonly calls?: ReadonlySet<number> | undefined;
  /** The same for 32-bit programs, by their own numbers; when `calls` is given and this is not, none of them. */
  readonly compatCalls?: ReadonlySet<number> | undefined;
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
const LAST_LOOKS = 20;
const ignore = () => {};

/**
 * A running trace. The filters work in the kernel: nothing of any other process is ever copied. The target set follows
 * fork, clone, exec and exit in the kernel, too, so no call of a new process is missed.
 *
 * Whoever starts one closes it. Needs CAP_BPF and CAP_PERFMON, Linux 5.8.
 */
export class Tracing {
  readonly #session: KernelSession;
  readonly #reader: RingBufferReader<void> | undefined;
  readonly #tracker: Tracker | undefined;
  #lossesAtEnd: TraceLosses | undefined;

  private constructor(
    session: KernelSession,
    reader: RingBufferReader<void> | undefined,
    tracker: Tracker | undefined,
  ) {
    this.#session = session;
    this.#reader = reader;
    this.#tracker = tracker;
  }

  /**
   * Loads and attaches. For a command, call `awaitChild()` and start the process from the same thread right after.
   * Throws SystemError (EPERM names the missing capability) or VerifierError; then nothing stays attached.
   */
  static start(options: TracingOptions): Tracing {
    const { target, sink } = options;
    const kernel: KernelOptions = {
      target: target.kind,
      mode: sink === undefined ? "summary" : "calls",
      failedOnly: options.failedOnly ?? false,
      minNs: options.minNs ?? 0,
      ringBytes: options.ringBytes ?? RING_BYTES,
      maxThreads: options.maxThreads ?? MAX_THREADS,
      arch: traceArch(),
      compareExchange: true,
      pidNamespace: ownPidNamespace(),
    };
    try {
      return Tracing.#start(options, kernel);
    } catch (error) {
      if (!lacksCompareExchange(error, kernel)) throw error;
      return Tracing.#start(options, { ...kernel, compareExchange: false });
    }
  }

  static #start(options: TracingOptions, kernel: KernelOptions): Tracing {
    const { target, sink } = options;
    const pending = KernelSession.begin(kernel, target.kind === "command");
    const arch = process.arch;
    const shown = options.calls;
    const compatShown = options.compatCalls ?? (shown === undefined ? undefined : new Set<number>());
    let tracker: Tracker | undefined;
    let reader: RingBufferReader<void> | undefined;
    let session: KernelSession | undefined;
    try {
      // All this while the verifier is at work. Statistics are of all calls, and nothing is copied.
      if (sink !== undefined) {
        const { cloneNumbers, compatArch, fileCalls, nameOfCall, openedAs, Tracker } = reading();
        // A trace of everything sees the calls that open and close files anyway.
        const filtered = shown !== undefined || options.failedOnly === true || (options.minNs ?? 0) > 0;
        const files = (of: string) => (filtered ? fileCalls(of) : new Set<number>());
        const compat = { shown: compatShown, files: files(compatArch(arch) ?? "") };
        pending.setPlans(encodePlans(arch, { shown, files: files(arch) }, compat));
        const own = new Tracker(sink, {
          nameOf: nameOfCall,
          cloneNumbers: cloneNumbers(arch),
          snapshot: target.kind === "command" ? () => inheritedFiles(openedAs) : (pid) => openFiles(pid, openedAs),
          shown,
          compatShown,
          ...(options.failedOnly !== undefined && { failedOnly: options.failedOnly }),
          ...(options.minNs !== undefined && { minNs: options.minNs }),
        });
        tracker = own;
        reader = pending.reader((record) => own.take(record)).listen(() => {});
      }
      session = pending.finish();
      if (target.kind === "pids") for (const pid of target.pids) session.addRoot(pid);
      if (target.kind === "cgroup") session.setCgroup(target.path);
      session.attach();
      return new Tracing(session, reader, tracker);
    } catch (error) {
      reader?.close();
      if (session === undefined) pending.cancel();
      else session.close();
      throw error;
    }
  }

  /** The next process this thread starts is the command: it is traced from its exec on. */
  awaitChild(): void {
    this.#session.awaitChild();
  }

  /** Takes `awaitChild()` back when no process came of it. */
  forgetChild(): void {
    this.#session.forgetChild();
  }

  /** Whether any traced thread is alive. */
  hasThreads(): boolean {
    return this.#session.hasThreads();
  }

  /** Forgets threads that are gone without their end having been seen. */
  forgetGone(): void {
    this.#session.forgetGone();
  }

  /**
   * Stops the reporting and delivers what is still in the ring, then the calls in which threads that live on still are,
   * as unfinished.
   */
  stop(): void {
    this.#session.detach();
    const reader = this.#reader;
    if (reader !== undefined) {
      reader.consume(ignore);
      // A program that still ran on another CPU when it was detached may be in the middle of its record.
      for (let i = 0; i < LAST_LOOKS && reader.books.pendingBytes > 0; i++) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
        reader.consume(ignore);
      }
      if (this.#tracker !== undefined) this.#session.pendingCalls(this.#tracker);
    }
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
      const row = reading().sumStatistics(nr, perCpu);
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

/** What /proc says of a descriptor, as it is shown. */
type OpenedAs = (pid: number, link: string) => Opened;

/** The inode of the machine's first pid namespace (include/linux/proc_ns.h, PROC_PID_INIT_INO). */
const FIRST_PID_NAMESPACE = 0xeffffffc;

/** The pid namespace Skep is in; undefined when it is the machine's, or without /proc. */
function ownPidNamespace(): PidNamespace | undefined {
  const namespace = statSync("/proc/self/ns/pid", { throwIfNoEntry: false });
  if (namespace === undefined || namespace.ino === FIRST_PID_NAMESPACE) return undefined;
  return { device: namespace.dev, inode: namespace.ino };
}

/** What a command has open at its start: it inherits Skep's own standard streams and working directory. */
export function inheritedFiles(openedAs: OpenedAs): FdSnapshot {
  const files = new Map<number, Opened>();
  for (const fd of [0, 1, 2]) {
    try {
      files.set(fd, openedAs(process.pid, readlinkSync(`/proc/self/fd/${fd}`)));
    } catch {
      // Closed, or no /proc: it shows as a number.
    }
  }
  return { files, cwd: process.cwd() };
}

/** Open files of a process that lives already (proc_pid_fd(5)); what cannot be read is left out. */
export function openFiles(pid: number, openedAs: OpenedAs): FdSnapshot {
  const files = new Map<number, Opened>();
  let cwd: string | undefined;
  try {
    cwd = readlinkSync(`/proc/${pid}/cwd`);
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        files.set(Number(fd), openedAs(pid, readlinkSync(`/proc/${pid}/fd/${fd}`)));
      } catch {
        // Closed between the two reads.
      }
    }
  } catch {
    // The process is gone, or not ours to look at: its descriptors show as numbers.
  }
  return { files, cwd };
}
