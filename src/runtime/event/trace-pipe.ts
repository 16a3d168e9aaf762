import { EventReader } from "./event-reader.ts";
import type { EventBooks } from "./event-source.ts";
import type { TraceLine } from "./trace-parser.ts";
import { TraceSource } from "./trace-source.ts";
import type { Latency } from "./wakeup.ts";

/** Which lines a `TracePipe` reads, and how. */
export interface TracePipeOptions {
  /**
   * Reads the trace_pipe that the whole machine shares, and takes its lines from whoever else reads it. Otherwise, since Linux
   * 5.9, a tracing instance of its own, which has a copy of everything printed and is removed by `close()`.
   */
  readonly shared?: boolean | undefined;
  /** KiB of an own instance's buffer for each CPU; the kernel's default otherwise (some 1400). */
  readonly kibPerCpu?: number | undefined;
  readonly latency?: Latency | undefined;
}

/** `dropped` are events that were overwritten before they were read, as the kernel says; undefined when it gave no number. */
export interface TraceBooks extends EventBooks {
  /** Lines of other trace events, which are not shown. */
  readonly others: number;
}

/**
 * Reads what programs print with `bpf_printk` (`bpf_trace_printk`), of all programs of the machine. For debugging: each line
 * is text that the kernel formats, under a lock. What is read is gone, so there is no `lease`. Whoever opened it closes it;
 * a process that is killed leaves its instance behind (`/sys/kernel/tracing/instances/skep-PID-N`, `rmdir` removes it). Needs
 * tracefs and the right to it (root). Throws TracePipeError. Follows Documentation/trace/ftrace.rst.
 */
export class TracePipe extends EventReader<TraceLine, TraceBooks> {
  readonly #source: TraceSource;

  constructor({ shared = false, kibPerCpu, latency }: TracePipeOptions = {}) {
    const source = new TraceSource(shared, kibPerCpu);
    super(source, latency);
    this.#source = source;
  }

  /** Whether it reads an instance of its own. */
  get own(): boolean {
    return this.#source.own;
  }

  get books(): TraceBooks {
    return { ...this.commonBooks(this.#source.lost), others: this.#source.others };
  }
}
