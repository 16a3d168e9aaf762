import { type Infer, type Layout, type Memory, makeBoundDecoder, memoryOf } from "../../object/codec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { ClosedError, Mapping, Protection, pageSize } from "../sys/index.ts";
import { type Drain, makeDrain, type RecordSource, type RingState } from "./drain.ts";
import { RecordView } from "./record-view.ts";
import { type Latency, WakeUp } from "./wakeup.ts";

export interface RingBufferOptions {
  /** `coalesced` (default): rare events come at once, thick ones within about 1 ms. `low`: each at once. */
  readonly latency?: Latency;
  /**
   * How many records the programs could not reserve, asked when the books are read. The kernel does not count them, so
   * programs must; without this function the books say `undefined` (unknown), never 0.
   */
  readonly dropped?: () => number;
}

/** What became of the records: attempted = delivered + discarded + dropped (+ `pending` still in the ring). */
export interface RingBooks {
  /** Records handed to a callback, a batch or a decoder. */
  readonly delivered: number;
  /** Records the program reserved and then discarded itself. */
  readonly discarded: number;
  /** Records lost because the ring was full; undefined when nobody counts them. */
  readonly dropped: number | undefined;
  /** Bytes between the consumer's and the producer's position now. */
  readonly pendingBytes: number;
}

const DEFAULT_BATCH = 65_536;
/** Word of the producer position in the ring's second mapping. */
const PRODUCER_POSITION = 0;
/** After this many records what was consumed is given back, so that a large drain makes room while it is under way. */
const COMMIT_EVERY = 8192;
/** The part of the ring that counts as pressing when one drain takes it (measured: 6 % keeps up with a flood). */
const PRESSING = 1 / 16;

/** Maps that have a reader: a second one would take the first one's events, and neither would know where the other is. */
const beingRead = new WeakSet<BpfMap>();

/**
 * Reads a ring buffer map (`BPF_MAP_TYPE_RINGBUF`, Linux 5.8): with a callback (`listen`), in batches (`for await`), or
 * by hand (`consume`). Use one way at a time; a map has one reader at a time. The reader maps the ring for itself and must
 * be closed; the map stays its owner's. What was consumed is given back to the kernel once per drain, not per record.
 */
export class RingBufferReader<T = Uint8Array> implements AsyncIterable<T[]> {
  readonly #name: string;
  readonly #consumer: Mapping;
  readonly #data: Mapping;
  readonly #consumerWords: Int32Array;
  readonly #consumerPosition: BigUint64Array;
  readonly #producerWords: Int32Array;
  readonly #state: RingState;
  readonly #size: number;
  readonly #lease: RecordView | undefined;
  readonly #drainLoop: Drain<T>;
  readonly #map: BpfMap;
  readonly #options: RingBufferOptions;
  /** The 64-bit position up to which records were consumed; exact to 2^53 bytes, which is 104 days at 1 GB/s. */
  #total: number;
  /** The position that the kernel was told. */
  #told: number;
  /** Whether the kernel is to believe that the last record is not consumed yet: it wakes nobody then. */
  #quietly = false;
  #wakeUp: WakeUp | undefined;
  #use: "listener" | "loop" | undefined;
  #draining = false;
  #referenced = true;
  #wake: (() => void) | undefined;
  #closed = false;

  private constructor(map: BpfMap, source: (memory: Memory) => RecordSource<T>, options: RingBufferOptions) {
    if (map.info.type !== "ringbuf") throw new TypeError(`Map "${map.name}" is of type ${map.info.type}, not ringbuf.`);
    if (beingRead.has(map)) {
      throw new TypeError(
        `Ring buffer "${map.name}" has a reader already, and two would take each other's events. Close the first one.`,
      );
    }
    this.#map = map;
    this.#options = options;
    this.#name = `reader of ring buffer "${map.name}"`;
    const page = pageSize();
    this.#size = map.info.maxEntries;
    // kernel/bpf/ringbuf.c: one writable page with the consumer position; behind it, read-only, one page with the
    // producer position and the data twice in a row, so that a record never wraps.
    this.#consumer = new Mapping(map.fd, page, Protection.read | Protection.write, 0, this.#name);
    try {
      this.#data = new Mapping(map.fd, page + 2 * this.#size, Protection.read, page, this.#name);
    } catch (error) {
      this.#consumer.close();
      throw error;
    }
    this.#consumerWords = new Int32Array(this.#consumer.buffer, 0, 2);
    this.#consumerPosition = new BigUint64Array(this.#consumer.buffer, 0, 1);
    const memory = memoryOf(this.#data.buffer);
    this.#producerWords = memory.i32;
    this.#total = Number(Atomics.load(this.#consumerPosition, 0));
    this.#told = this.#total;
    this.#state = {
      position: Number(BigInt.asIntN(32, BigInt(this.#total))),
      last: Number(BigInt.asIntN(32, BigInt(this.#total))),
      delivered: 0,
      discarded: 0,
      closed: false,
    };
    const records = source(memory);
    this.#lease = records.lease;
    this.#drainLoop = makeDrain(
      { memory, base: page, mask: this.#size - 1, weaklyOrdered: process.arch !== "x64" },
      records,
    );
    beingRead.add(map);
  }

  /** A reader that copies each record out as bytes. */
  static raw(map: BpfMap, options: RingBufferOptions = {}): RingBufferReader<Uint8Array> {
    return RingBufferReader.with(map, (record) => record.copy(), options);
  }

  /** A reader that reads each record as a value of `layout`, with a decoder generated for it. Longer records are cut. */
  static of<L extends Layout>(map: BpfMap, layout: L, options: RingBufferOptions = {}): RingBufferReader<Infer<L>> {
    const { size } = layout;
    const tooShort = (length: number): never => {
      throw new RangeError(`A record of ${length} bytes is too short for the layout of ${size} bytes.`);
    };
    const source = (memory: Memory) => ({ size, tooShort, decode: makeBoundDecoder(layout, memory) });
    return new RingBufferReader<Infer<L>>(map, source, options);
  }

  /** A reader with a decoder of one's own, called with a lease on each record. */
  static with<T>(map: BpfMap, decode: (record: RecordView) => T, options: RingBufferOptions = {}): RingBufferReader<T> {
    return new RingBufferReader(map, (memory) => ({ lease: new RecordView(memory), decode }), options);
  }

  get books(): RingBooks {
    const { delivered, discarded } = this.#state;
    return {
      delivered,
      discarded,
      dropped: this.#options.dropped?.(),
      pendingBytes: this.#closed ? 0 : this.#pending(),
    };
  }

  /**
   * Hands each record that is in the ring now to `visit`, synchronously; how many there were. Records still being
   * written stay for the next call.
   */
  consume(visit: (event: T) => void, limit: number = Number.MAX_SAFE_INTEGER): number {
    this.#check();
    return this.#drain(visit, limit);
  }

  /** Calls `callback` for each event from now on, until `close()`. Keeps the process alive unless `unref()` is called. */
  listen(callback: (event: T) => void): this {
    this.#check();
    this.#claim("listener");
    this.#waitWith(() => this.#drain(callback, Number.MAX_SAFE_INTEGER)).start();
    return this;
  }

  /**
   * Batches of events as they come. Nothing is read ahead: while the loop's body is busy, events wait in the ring.
   * Leaving the loop keeps the reader open; `close()` ends the loop, and what is in the ring then stays there.
   */
  async *[Symbol.asyncIterator](): AsyncIterator<T[]> {
    if (this.#closed) return;
    this.#claim("loop");
    let batch: T[] = [];
    let failure: { readonly error: unknown } | undefined;
    const visit = (event: T) => {
      batch.push(event);
    };
    const wakeUp = this.#waitWith(() => {
      try {
        this.#drain(visit, DEFAULT_BATCH);
      } catch (error) {
        failure = { error };
      }
      if (batch.length > 0 || failure !== undefined) this.#wake?.();
      return batch.length;
    });
    try {
      while (!this.#closed) {
        batch = [];
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
          wakeUp.start();
        });
        wakeUp.stop();
        // What was read before a record that cannot be decoded is delivered first.
        if (batch.length > 0) yield batch;
        if (failure !== undefined) throw failure.error;
      }
    } finally {
      this.#wake = undefined;
      this.#use = undefined;
      wakeUp.close();
      this.#settle();
    }
  }

  /** Lets the process end while the reader waits. */
  unref(): this {
    this.#referenced = false;
    this.#wakeUp?.unref();
    return this;
  }

  ref(): this {
    this.#referenced = true;
    this.#wakeUp?.ref();
    return this;
  }

  /** Stops listening and unmaps the ring. Records not consumed by then stay in it. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    this.#settle();
    this.#closed = true;
    this.#state.closed = true;
    this.#wakeUp?.close();
    this.#wake?.();
    // Called in the reader's own callback: the drain under way first gives back what was delivered.
    if (!this.#draining) this.#unmap();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #waitWith(drain: () => number): WakeUp {
    this.#wakeUp?.close();
    this.#wakeUp = new WakeUp(this.#map.fd, this.#options.latency ?? "coalesced", {
      drain: (quietly) => {
        const before = this.#total;
        this.#quietly = quietly;
        const records = drain();
        return { records, pressing: this.#total - before > this.#size * PRESSING };
      },
      settle: () => this.#settle(),
    });
    if (!this.#referenced) this.#wakeUp.unref();
    return this.#wakeUp;
  }

  #drain(visit: (event: T) => void, limit: number): number {
    const state = this.#state;
    const before = state.delivered;
    if (this.#draining) throw new TypeError(`The ${this.#name} cannot be read in its own callback.`);
    this.#draining = true;
    try {
      // One look at the producer: records that come meanwhile are for the next drain, or a flood would never let go.
      const end = Atomics.load(this.#producerWords, PRODUCER_POSITION);
      let left = limit;
      for (let more = true; more; ) {
        const { position, delivered } = state;
        const part = Math.min(left, COMMIT_EVERY);
        try {
          this.#drainLoop(state, visit, end, part);
        } finally {
          if (state.position !== position) this.#commit((state.position - position) >>> 0);
        }
        const taken = state.delivered - delivered;
        left -= taken;
        more = taken === part && left > 0 && !state.closed;
      }
    } finally {
      this.#draining = false;
      if (this.#closed) this.#unmap();
    }
    return state.delivered - before;
  }

  /** Gives space back up to the last record: that one too, unless the kernel is to wake nobody for the next. */
  #commit(consumed: number): void {
    this.#total += consumed;
    const length = (this.#state.position - this.#state.last) >>> 0;
    // A record that takes a good part of the ring must make room for the next one.
    const keep = this.#quietly && !this.#closed && length < this.#size * PRESSING;
    this.#tell(keep ? this.#total - length : this.#total);
  }

  /** Gives all back that was consumed. */
  #settle(): void {
    this.#quietly = false;
    if (this.#told !== this.#total && !this.#closed) this.#tell(this.#total);
  }

  /** The kernel reads 64 bits; one store of the low word does while the high one stays. */
  #tell(position: number): void {
    const high = Math.floor(this.#told / 0x100000000);
    this.#told = position;
    if (Math.floor(position / 0x100000000) === high) Atomics.store(this.#consumerWords, 0, position | 0);
    else Atomics.store(this.#consumerPosition, 0, BigInt(position));
  }

  #unmap(): void {
    // A lease that outlives the reader sees a record of no bytes instead of memory that is gone.
    this.#lease?._move(0, 0);
    this.#consumer.close();
    this.#data.close();
    beingRead.delete(this.#map);
  }

  #claim(use: "listener" | "loop"): void {
    if (this.#use !== undefined) throw new TypeError(`The ${this.#name} already has a ${this.#use}.`);
    this.#use = use;
  }

  #pending(): number {
    return (Atomics.load(this.#producerWords, PRODUCER_POSITION) - this.#state.position) >>> 0;
  }

  #check(): void {
    if (this.#closed) throw new ClosedError(this.#name);
  }
}
