/** What a program printed with `bpf_printk`, and where. */
export interface TraceLine {
  /** The thread's name (`comm`); `<...>` when the kernel has forgotten it. */
  readonly task: string;
  readonly tid: number;
  readonly cpu: number;
  /** Seconds on the trace clock, by default since the machine was started; exact to a microsecond. */
  readonly time: number;
  /** Without the line's end; what is printed in several lines has them in it. */
  readonly text: string;
}

/** What else came along, counted. */
export interface TraceCounts {
  /** Lines of other trace events than `bpf_printk`'s. */
  others: number;
  /** Events that the kernel says were overwritten before they were read. */
  lost: number;
  /** It said so without a number. */
  lostUnknown: boolean;
}

const LOST = /^CPU:\d+ \[LOST(?: (\d+))? EVENTS\]$/;
// `%16s-%-7d [%03d] flags seconds.micros: event: text` (kernel/trace/trace_output.c), with `( tgid)` behind the number where
// that is asked for. The name has a width, because it may have anything in it.
const HEADER =
  /^(.{16})-(\d+)\s+(?:\([\s\d-]+\)\s+)?\[(\d+)\]\s+\S+\s+(\d+\.\d+): (?:(bpf_trace_printk|0x[0-9a-f]+|0): )?(.*)$/s;

/**
 * Makes lines of what is read from a trace_pipe. The kernel gives whole events with each read, and an event may be of
 * several lines: what has no header belongs to the event before.
 */
export class TraceParser {
  readonly counts: TraceCounts = { others: 0, lost: 0, lostUnknown: false };
  #rest = "";

  /** What one read gave. */
  parse(read: string): TraceLine[] {
    const lines = (this.#rest + read).split("\n");
    this.#rest = lines.pop() as string;
    const parsed: { -readonly [K in keyof TraceLine]: TraceLine[K] }[] = [];
    let last: (typeof parsed)[number] | undefined;
    for (const line of lines) {
      const lost = LOST.exec(line);
      const header = lost === null ? HEADER.exec(line) : null;
      if (lost !== null) {
        if (lost[1] === undefined) this.counts.lostUnknown = true;
        else this.counts.lost += Number(lost[1]);
      } else if (header === null) {
        if (last !== undefined) last.text += `\n${line}`;
      } else if (header[5] === undefined) {
        this.counts.others++;
        last = undefined;
      } else {
        const [, task = "", tid, cpu, time, , text = ""] = header;
        last = { task: task.trimStart(), tid: Number(tid), cpu: Number(cpu), time: Number(time), text };
        parsed.push(last);
      }
    }
    for (const event of parsed) if (event.text.endsWith("\n")) event.text = event.text.slice(0, -1);
    return parsed;
  }
}
