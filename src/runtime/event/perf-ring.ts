import type { Memory } from "../../object/codec/index.ts";
import {
  type Fd,
  ioctl,
  openPerfEvent,
  type PerfEventOptions,
  PerfIoctl,
  Protection,
  pageSize,
  perfEventLost,
  type Region,
  SystemError,
} from "../sys/index.ts";
import { ConsumerPosition } from "./consumer-position.ts";
import type { Tally } from "./event-source.ts";
import { type PerfBuffer, walkRecords } from "./perf-drain.ts";

/** PERF_COUNT_SW_BPF_OUTPUT and PERF_SAMPLE_RAW (linux/perf_event.h). */
const BPF_OUTPUT = 10;
const RAW = 1 << 10;
/** Places in `struct perf_event_mmap_page`. */
const DATA_HEAD = 1024;
const DATA_TAIL = 1032;

const EPERM = 1;
const EINVAL = 22;
const ENODEV = 19;

/** When the kernel wakes the reader of a CPU's buffer. */
export type PerfWakeup =
  /** For each record while they are rare; by a watermark while we drain on a timer. */
  "adaptive" | { readonly events: number } | { readonly bytes: number } | undefined;

/** What the buffers of one reader have in common. */
export interface PerfRingOptions {
  readonly region: Region;
  readonly memory: Memory;
  /** Bytes of each. */
  readonly size: number;
  readonly wakeup: PerfWakeup;
  readonly backward: boolean;
}

/** The buffer of one CPU: the perf event or events that programs write to, the memory, and how far it was read. */
export class PerfRing implements PerfBuffer {
  readonly cpu: number;
  readonly base: number;
  readonly mask: number;
  position: number;
  /** Where the records to read end, as `look` saw it. */
  end: number;
  /** Where it stood at `look` and at `hold`. */
  lookedAt: number;
  heldAt = 0;
  /** The event whose buffer it is, and the one that wakes for each record and writes to the same buffer. */
  readonly event: Fd;
  readonly eager: Fd | undefined;
  readonly countsLost: boolean;
  readonly #memory: Memory;
  readonly #head: Int32Array;
  /** What the kernel is told; written backwards it is not. */
  readonly #tail: ConsumerPosition | undefined;
  #total: number;

  /** Its buffer is placed at byte `at` of the region: a page of the kernel's, then the records. */
  constructor(cpu: number, { region, memory, size, wakeup, backward }: PerfRingOptions, at: number) {
    this.cpu = cpu;
    this.#memory = memory;
    const what = `perf buffer of CPU ${cpu} for the ${region.what}`;
    const page = pageSize();
    const plain = wakeup === "adaptive" ? { bytes: size / 2 } : wakeup;
    const opened = openOutput(cpu, plain, backward, what);
    this.event = opened.event;
    this.countsLost = opened.countsLost;
    let eager: Fd | undefined;
    try {
      place(region, this.event, at, page + size, backward);
      if (wakeup === "adaptive") {
        eager = openOutput(cpu, { events: 1 }, backward, `second ${what}`).event;
        const result = ioctl(eager, PerfIoctl.set_output, this.event.number);
        if (result < 0)
          throw new SystemError({
            errno: -result,
            syscall: "ioctl(PERF_EVENT_IOC_SET_OUTPUT)",
            doing: `share ${what}`,
          });
      }
    } catch (error) {
      eager?.close();
      this.event.close();
      throw error;
    }
    this.eager = eager;
    this.base = at + page;
    this.mask = size - 1;
    this.#head = new Int32Array(region.buffer, at + DATA_HEAD, 1);
    this.#tail = backward ? undefined : new ConsumerPosition(region.buffer, at + DATA_TAIL);
    this.#total = this.#tail?.told ?? 0;
    this.position = this.#total | 0;
    this.end = this.position;
    this.lookedAt = this.position;
  }

  get size(): number {
    return this.mask + 1;
  }

  get head(): number {
    return Atomics.load(this.#head, 0);
  }

  /** Bytes that nobody has read; of a buffer that is written backwards at most what is still there. */
  get pendingBytes(): number {
    return this.#tail === undefined
      ? Math.min((this.position - this.head) >>> 0, this.size)
      : (this.head - this.position) >>> 0;
  }

  /** Records for which there was no room, when the kernel counts them. */
  get lost(): number {
    return perfEventLost(this.event) + (this.eager === undefined ? 0 : perfEventLost(this.eager));
  }

  /** Of a buffer that is written backwards the newest comes first: it is paused, and read from its head on. */
  look(): void {
    if (this.#tail !== undefined) {
      this.lookedAt = this.position;
      this.end = this.head;
      return;
    }
    this.#pause(true);
    const pending = this.pendingBytes;
    this.position = this.head;
    this.lookedAt = this.position;
    this.end = walkRecords(this.#memory, this, this.position, pending, Number.POSITIVE_INFINITY).end;
  }

  /** Ends what `look` began. What was left of a buffer that is written backwards is passed by. */
  finish(tally: Tally): void {
    if (this.#tail !== undefined) return;
    tally.skipped += this.skip(tally, Number.POSITIVE_INFINITY);
    this.position = this.lookedAt;
    this.#pause(false);
  }

  /** Gives what was read back to the kernel. */
  commit(from: number): void {
    if (this.#tail === undefined || this.position === from) return;
    this.#total += (this.position - from) >>> 0;
    this.#tail.tell(this.#total);
  }

  /** Passes at most `limit` samples by; how many. */
  skip(tally: Tally, limit: number): number {
    const { end, samples, lost } = walkRecords(
      this.#memory,
      this,
      this.position,
      (this.end - this.position) >>> 0,
      limit,
    );
    this.position = end;
    tally.lost += lost;
    return samples;
  }

  /** Stops or goes on writing: what is written backwards can be read only while nobody writes (Linux 4.7). */
  #pause(paused: boolean): void {
    const result = ioctl(this.event, PerfIoctl.pause_output, paused ? 1 : 0);
    if (result < 0)
      throw new SystemError({
        errno: -result,
        syscall: "ioctl(PERF_EVENT_IOC_PAUSE_OUTPUT)",
        doing: `read the ${this.event.what}`,
      });
  }

  closeEvents(): void {
    this.eager?.close();
    this.event.close();
  }

  /** Counts what nobody will read, and closes the events; the memory is the reader's. */
  close(tally: Tally): void {
    this.look();
    tally.abandoned += this.skip(tally, Number.POSITIVE_INFINITY);
    this.closeEvents();
  }
}

/** Whether the kernel counts lost records for each event; it is asked once. */
let counting: boolean | undefined;

function openOutput(
  cpu: number,
  wakeup: { readonly events: number } | { readonly bytes: number } | undefined,
  writeBackward: boolean,
  what: string,
): { readonly event: Fd; readonly countsLost: boolean } {
  const options: PerfEventOptions = {
    type: "software",
    config: BPF_OUTPUT,
    pid: -1,
    cpu,
    sampleType: RAW,
    writeBackward,
    ...(wakeup !== undefined && { wakeup }),
  };
  try {
    if (counting !== false) {
      try {
        const event = openPerfEvent({ ...options, countsLost: true }, what);
        counting = true;
        return { event, countsLost: true };
      } catch (error) {
        if (!(error instanceof SystemError) || error.errno !== EINVAL || counting === true) throw error;
        counting = false;
      }
    }
    return { event: openPerfEvent(options, what), countsLost: false };
  } catch (error) {
    if (!(error instanceof SystemError) || (error.errno !== ENODEV && error.errno !== EINVAL)) throw error;
    throw new SystemError({
      errno: error.errno,
      syscall: error.syscall,
      doing: `open ${what}`,
      hint:
        error.errno === ENODEV
          ? `CPU ${cpu} is not on line: leave it out of \`cpus\`, or bring it up first (/sys/devices/system/cpu/cpu${cpu}/online).`
          : `CPU ${cpu} may not exist; perf buffers need Linux 4.4, those that are overwritten 4.7.`,
      cause: error,
    });
  }
}

function place(region: Region, event: Fd, at: number, length: number, backward: boolean): void {
  try {
    region.place(event, at, length, backward ? Protection.read : Protection.read | Protection.write);
  } catch (error) {
    if (!(error instanceof SystemError) || error.errno !== EPERM) throw error;
    throw new SystemError({
      errno: error.errno,
      syscall: error.syscall,
      doing: `map ${length} bytes of the ${event.what}`,
      hint: "Without CAP_IPC_LOCK a user may have /proc/sys/kernel/perf_event_mlock_kb KiB of buffers for each CPU, and RLIMIT_MEMLOCK beyond: raise one of them, or take a smaller `bytesPerCpu`.",
      cause: error,
    });
  }
}
