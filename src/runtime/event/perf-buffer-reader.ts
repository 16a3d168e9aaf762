import { type Infer, type Layout, type Memory, makeBoundDecoder } from "../../object/codec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { EventReader } from "./event-reader.ts";
import type { EventBooks } from "./event-source.ts";
import type { PerfRecordSource } from "./perf-drain.ts";
import { PerfSource } from "./perf-source.ts";
import { RecordView } from "./record-view.ts";
import { tooShortFor } from "./too-short.ts";
import type { Latency } from "./wakeup.ts";

/** How a `PerfBufferReader` reads, and how much room it gives to events. */
export interface PerfBufferOptions {
  /** Bytes of each CPU's buffer: a power of two and at least a page; 256 KiB by default. */
  readonly bytesPerCpu?: number | undefined;
  /** The CPUs to read; those on line by default. One that comes on line later has no buffer: its events are refused. */
  readonly cpus?: readonly number[] | undefined;
  /**
   * `coalesced` (default): rare events come at once, thick ones within 1 to 4 ms, by the size of the buffer, for which programs are then not held up.
   * `low`: each at once, which costs the program that sends it some microseconds.
   */
  readonly latency?: Latency | undefined;
  /**
   * When the kernel wakes the reader, instead of what `latency` does: with every so many records, or bytes, of one CPU.
   * What is below that waits for more to come, or for `consume`.
   */
  readonly wakeup?: { readonly events: number } | { readonly bytes: number } | undefined;
  /**
   * Keeps the newest instead of the oldest: what is not read is overwritten (Linux 4.7), the newest is read first. For
   * looking back when something has happened: `consume` stops writing, reads what is there, and goes on; programs that
   * send meanwhile are refused, which the books count as `dropped`. How many were overwritten the kernel does not count.
   */
  readonly overwrite?: boolean | undefined;
  /** How many records the programs could not send, by their own count; the kernel's is used without. */
  readonly dropped?: (() => number) | undefined;
}

/**
 * What became of the records. `dropped` is exact at any time since Linux 6.0; before that it is what the buffers told of,
 * which lags until there is room again.
 */
export type PerfBooks = EventBooks;

/**
 * Reads a perf buffer: a map of type `perf_event_array`, to which programs send with `bpf_perf_event_output` (Linux 4.4; with
 * BPF_F_CURRENT_CPU). The kernel has a buffer for each CPU, so events of different CPUs come in no common order. A map
 * has one reader at a time, which opens the events, puts them into the map, and takes them out when it is closed, for
 * which it waits some ten milliseconds until no program has them any more: the last books are exact. The
 * kernel pads records: a lease has up to 7 bytes more than were sent. Where there is a choice (Linux 5.8), a ring buffer
 * is better: one order, one memory, nothing copied. Follows perf_event_open(2) and kernel/events/ring_buffer.c.
 */
export class PerfBufferReader<T = Uint8Array> extends EventReader<T, PerfBooks> {
  readonly #source: PerfSource<T>;
  readonly #dropped: (() => number) | undefined;

  private constructor(map: BpfMap, records: (memory: Memory) => PerfRecordSource<T>, options: PerfBufferOptions) {
    const { latency = "coalesced", wakeup, overwrite = false, bytesPerCpu, cpus } = options;
    const source = new PerfSource<T>(map, records, {
      bytesPerCpu,
      cpus,
      overwrite,
      wakeup: overwrite ? undefined : (wakeup ?? (latency === "low" ? { events: 1 } : "adaptive")),
    });
    super(source, latency);
    this.#source = source;
    this.#dropped = options.dropped;
  }

  /** A reader that copies each record out as bytes, the kernel's padding at the end among them. */
  static raw(map: BpfMap, options: PerfBufferOptions = {}): PerfBufferReader<Uint8Array> {
    return PerfBufferReader.with(map, (record) => record.copy(), options);
  }

  /** A reader that reads each record as a value of `layout`, with a decoder generated for it. Longer records are cut. */
  static of<L extends Layout>(map: BpfMap, layout: L, options: PerfBufferOptions = {}): PerfBufferReader<Infer<L>> {
    const { size } = layout;
    const tooShort = tooShortFor(size);
    const source = (memory: Memory) => ({ size, tooShort, decode: makeBoundDecoder(layout, memory, { align: 4 }) });
    return new PerfBufferReader<Infer<L>>(map, source, options);
  }

  /** A reader with a decoder of one's own, called with a lease on each record and the CPU that it comes from. */
  static with<T>(
    map: BpfMap,
    decode: (record: RecordView, cpu: number) => T,
    options: PerfBufferOptions = {},
  ): PerfBufferReader<T> {
    return new PerfBufferReader<T>(map, (memory) => ({ lease: new RecordView(memory), decode }), options);
  }

  /** In a callback, the CPU that its event comes from; −1 otherwise. */
  get cpu(): number {
    return this.#source.cpu;
  }

  get books(): PerfBooks {
    return this.commonBooks(this.#dropped?.() ?? this.#source.lost);
  }
}
