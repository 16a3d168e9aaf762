import { type Infer, type Layout, type Memory, makeBoundDecoder } from "../../object/codec/index.ts";
import type { BpfMap } from "../map/index.ts";
import type { RecordSource } from "./drain.ts";
import { EventReader } from "./event-reader.ts";
import type { EventBooks } from "./event-source.ts";
import { RecordView } from "./record-view.ts";
import { RingSource } from "./ring-source.ts";
import { tooShortFor } from "./too-short.ts";
import type { Latency } from "./wakeup.ts";

/** How a `RingBufferReader` reads, and where it learns of losses. */
export interface RingBufferOptions {
  /** `coalesced` (default): rare events come at once, thick ones within 1 to 4 ms, by the size of the ring. `low`: each at once. */
  readonly latency?: Latency | undefined;
  /**
   * How many records the programs could not reserve, asked when the books are read. The kernel does not count them, so
   * programs must; without this function the books say `undefined` (unknown), never 0.
   */
  readonly dropped?: (() => number) | undefined;
}

/** What became of the records; those that `close()` finds unread stay in the ring for its next reader. */
export interface RingBooks extends EventBooks {
  /** Records the program reserved and then discarded itself. */
  readonly discarded: number;
}

/**
 * Reads a ring buffer map (`BPF_MAP_TYPE_RINGBUF`, Linux 5.8). A map has one reader at a time. The reader maps the ring
 * for itself and must be closed; the map stays its owner's. What was consumed is given back to the kernel once per
 * drain, not per record. Follows Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c.
 */
export class RingBufferReader<T = Uint8Array> extends EventReader<T, RingBooks> {
  readonly #dropped: (() => number) | undefined;

  private constructor(map: BpfMap, source: (memory: Memory) => RecordSource<T>, options: RingBufferOptions) {
    super(new RingSource(map, source), options.latency);
    this.#dropped = options.dropped;
  }

  /** A reader that copies each record out as bytes. */
  static raw(map: BpfMap, options: RingBufferOptions = {}): RingBufferReader<Uint8Array> {
    return RingBufferReader.with(map, (record) => record.copy(), options);
  }

  /** A reader that reads each record as a value of `layout`, with a decoder generated for it. Longer records are cut. */
  static of<L extends Layout>(map: BpfMap, layout: L, options: RingBufferOptions = {}): RingBufferReader<Infer<L>> {
    const { size } = layout;
    const tooShort = tooShortFor(size);
    const source = (memory: Memory) => ({ size, tooShort, decode: makeBoundDecoder(layout, memory) });
    return new RingBufferReader<Infer<L>>(map, source, options);
  }

  /** A reader with a decoder of one's own, called with a lease on each record. */
  static with<T>(map: BpfMap, decode: (record: RecordView) => T, options: RingBufferOptions = {}): RingBufferReader<T> {
    return new RingBufferReader(map, (memory) => ({ lease: new RecordView(memory), decode }), options);
  }

  get books(): RingBooks {
    return { ...this.commonBooks(this.#dropped?.()), discarded: this._source.tally.discarded };
  }
}
