import { type Memory, memoryOf } from "../../object/codec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { type Fd, Mapping, Protection, pageSize } from "../sys/index.ts";
import { ConsumerPosition } from "./consumer-position.ts";
import {
  COMMIT_EVERY,
  type Drain,
  makeDrain,
  type RecordSource,
  type Ring,
  type RingState,
  skipRecords,
} from "./drain.ts";
import { type EventSource, newTally } from "./event-source.ts";
import { beginReading, checkReadable, endReading } from "./one-reader.ts";
import type { RecordView } from "./record-view.ts";

/** Word of the producer position in the ring's second mapping. */
const PRODUCER_POSITION = 0;
/** A record that takes this part of the ring must make room for the next one. */
const LARGE = 1 / 16;

/** One ring buffer map, mapped: its positions, its drain loop, and when the kernel is told what was taken. */
export class RingSource<T> implements EventSource<T> {
  readonly name: string;
  readonly descriptor: Fd;
  readonly toldOnce = false;
  readonly tally: RingState;
  readonly #map: BpfMap;
  readonly #consumer: Mapping;
  readonly #data: Mapping;
  readonly #position: ConsumerPosition;
  readonly #producerWords: Int32Array;
  readonly #size: number;
  readonly #lease: RecordView | undefined;
  readonly #ring: Ring;
  readonly #drain: Drain<T>;
  /** The 64-bit position up to which records were consumed. */
  #total: number;
  #end = 0;
  #lookedAt = 0;
  /** Whether the kernel is to believe that the last record is not consumed yet: it wakes nobody then. */
  #quietly = false;
  /** What there was before records were held. */
  #held: { readonly total: number; readonly state: RingState } | undefined;
  #closed = false;

  constructor(map: BpfMap, source: (memory: Memory) => RecordSource<T>) {
    checkReadable(map, "ringbuf", "Ring buffer");
    this.#map = map;
    this.descriptor = map.fd;
    this.name = `reader of ring buffer "${map.name}"`;
    const page = pageSize();
    this.#size = map.info.maxEntries;
    // kernel/bpf/ringbuf.c: one writable page with the consumer position; behind it, read-only, one page with the
    // producer position and the data twice in a row, so that a record never wraps.
    this.#consumer = new Mapping(map.fd, page, Protection.read | Protection.write, 0, this.name);
    let data: Mapping | undefined;
    try {
      data = new Mapping(map.fd, page + 2 * this.#size, Protection.read, page, this.name);
      this.#data = data;
      this.#position = new ConsumerPosition(this.#consumer.buffer, 0);
      this.#total = this.#position.told;
      const memory = memoryOf(data.buffer);
      const records = source(memory);
      this.#ring = { memory, base: page, mask: this.#size - 1, weaklyOrdered: process.arch !== "x64" };
      this.#producerWords = memory.i32;
      this.#lease = records.lease;
      const position = Number(BigInt.asIntN(32, BigInt(this.#total)));
      this.tally = { ...newTally(), position, last: position };
      this.#drain = makeDrain(this.#ring, records);
    } catch (error) {
      data?.close();
      this.#consumer.close();
      throw error;
    }
    beginReading(map);
  }

  get capacity(): number {
    return this.#size;
  }

  get taken(): number {
    return (this.#total - this.#lookedAt) / this.#size;
  }

  get filled(): number {
    return ((this.#end - this.tally.position) >>> 0) / this.#size;
  }

  get pendingBytes(): number {
    if (this.#closed) return 0;
    return (Atomics.load(this.#producerWords, PRODUCER_POSITION) - this.tally.position) >>> 0;
  }

  /** The kernel wakes whoever has caught up: that is said with each drain. */
  arm(): boolean {
    return false;
  }

  hush(): void {}

  look(quietly: boolean): void {
    this.#quietly = quietly;
    this.#lookedAt = this.#total;
    this.#end = Atomics.load(this.#producerWords, PRODUCER_POSITION);
  }

  read(visit: (event: T) => void, limit: number): number {
    const state = this.tally;
    const before = state.delivered;
    let left = limit;
    for (let more = true; more; ) {
      const { position, delivered } = state;
      const part = Math.min(left, COMMIT_EVERY);
      try {
        this.#drain(state, visit, this.#end, part);
      } finally {
        this.#commit(position);
      }
      const taken = state.delivered - delivered;
      left -= taken;
      more = taken === part && left > 0 && !state.stopped;
    }
    return state.delivered - before;
  }

  skip(limit: number): number {
    const { position } = this.tally;
    const skipped = skipRecords(this.#ring, this.tally, this.#end, limit);
    this.#commit(position);
    return skipped;
  }

  finish(): void {}

  hold(): void {
    this.settle();
    this.#held = { total: this.#total, state: { ...this.tally } };
  }

  rewind(): void {
    if (this.#held === undefined) return;
    const { total, state } = this.#held;
    this.#held = undefined;
    this.#total = total;
    Object.assign(this.tally, state, { stopped: this.tally.stopped });
  }

  settle(): void {
    this.#quietly = false;
    this.#held = undefined;
    if (this.#position.told !== this.#total && !this.#closed) this.#position.tell(this.#total);
  }

  /** What is unread stays in the ring, for whoever reads it next. */
  close(): void {
    this.rewind();
    this.#closed = true;
    // A lease that outlives the reader sees a record of no bytes instead of memory that is gone.
    this.#lease?._move(0, 0);
    this.#consumer.close();
    this.#data.close();
    endReading(this.#map);
  }

  /** Gives space back up to the last record: that one too, unless the kernel is to wake nobody for the next. */
  #commit(before: number): void {
    const { position, last, stopped } = this.tally;
    if (position === before) return;
    this.#total += (position - before) >>> 0;
    if (this.#held !== undefined) return;
    const length = (position - last) >>> 0;
    const keep = this.#quietly && !stopped && length < this.#size * LARGE;
    this.#position.tell(keep ? this.#total - length : this.#total);
  }
}
