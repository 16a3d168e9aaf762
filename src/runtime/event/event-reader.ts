import { ClosedError } from "../sys/index.ts";
import { type BatchOptions, capacityOf, type ListenOptions, sampleOf } from "./back-pressure.ts";
import { EventQueue } from "./event-queue.ts";
import type { EventBooks, EventSource } from "./event-source.ts";
import { Lease } from "./lease.ts";
import { type Drained, type Latency, PRESSING, WakeUp } from "./wakeup.ts";

const DEFAULT_BATCH = 65_536;
/** A buffer that is fuller than this is behind, and sampled where that is wished. */
const BEHIND = 1 / 2;

type Use = "listener" | "loop" | "group" | "lease";

/**
 * Reads events of one kind, whatever they come through: with a callback (`listen`), in batches (`batches`, `for await`),
 * by hand (`consume`), or by hand with an explicit commit (`lease`). Use one way at a time. The reader owns what it
 * mapped and opened and must be closed (`close()`, `using`); the map stays its owner's.
 */
export abstract class EventReader<T, B extends EventBooks = EventBooks> implements AsyncIterable<T[]> {
  /** The stream itself; the business of readers that read several. */
  readonly _source: EventSource<T>;
  readonly #latency: Latency;
  readonly #queue = new EventQueue<T>();
  #abandoned = 0;
  #wakeUp: WakeUp | undefined;
  #use: Use | undefined;
  #draining = false;
  #referenced = true;
  /** Ends what waits for events: the loop's promise. */
  #wake: (() => void) | undefined;
  #stopListening: (() => void) | undefined;
  /** Tells the group that the reader is in. */
  #left: (() => void) | undefined;
  #closed = false;

  protected constructor(source: EventSource<T>, latency: Latency = "coalesced") {
    this._source = source;
    this.#latency = latency;
  }

  /** What became of the records, as far as anybody knows. Can be asked at any time, also after `close()`. */
  abstract get books(): B;

  /**
   * Hands each event that is there now to `visit`, synchronously, at most `limit`; how many there were. Records still
   * being written stay for the next call. Throws what `visit` throws (its event was delivered and does not come again),
   * RangeError or CodecError for a record that cannot be decoded, ClosedError after `close()`.
   */
  consume(visit: (event: T) => void, limit: number = Number.MAX_SAFE_INTEGER): number {
    this.#check();
    this.#mustNotBe("lease", "group");
    return this.#drain(visit, limit, false, 1);
  }

  /**
   * Like `consume`, but the records' room is not given back before `commit()` of the lease. Closing the lease without
   * a commit, or the reader, or an error that `visit` throws, leaves all of them unread: they come again, also for the
   * next reader of a pinned ring. For sinks that must have an event before it may be forgotten.
   */
  lease(visit: (event: T) => void, limit: number = Number.MAX_SAFE_INTEGER): Lease {
    this.#check();
    if (this.#queue.length > 0)
      throw new TypeError(`The ${this._source.name} has events left over from a loop: consume them first.`);
    this.#claim("lease");
    const release = () => {
      this.#use = undefined;
    };
    try {
      this._source.hold();
      const count = this.#drain(visit, limit, false, 1);
      return new Lease(this._source, count, release);
    } catch (error) {
      if (!this.#closed) this._source.rewind();
      release();
      throw error;
    }
  }

  /**
   * Calls `callback` for each event from now on, until the signal is aborted or the reader closed. Keeps the process alive
   * unless `unref()` is called. What the callback throws becomes an uncaughtException; the next events still come.
   */
  listen(callback: (event: T) => void, { signal, backPressure = "block" }: ListenOptions = {}): this {
    this.#check();
    signal?.throwIfAborted();
    const sample = sampleOf(backPressure);
    this.#claim("listener");
    const end = () => {
      signal?.removeEventListener("abort", stop);
      this.#stopListening = undefined;
      this.#use = undefined;
      this.#wakeUp?.close();
      this._source.hush();
    };
    const stop = () => {
      if (this.#draining) this._source.tally.stopped = true;
      end();
      this._source.settle();
    };
    signal?.addEventListener("abort", stop);
    this.#stopListening = end;
    try {
      const all = Number.MAX_SAFE_INTEGER;
      this.#waitWith((quietly) => ({ records: this.#drain(callback, all, quietly, sample), pressing: false })).start();
    } catch (error) {
      end();
      throw error;
    }
    return this;
  }

  /**
   * Batches of events as they come, to be looped over with `for await`. Leaving the loop keeps the reader open; `close()`
   * ends it, after a last batch of what was read already. An error in decoding ends the loop after the events before it.
   * Throws TypeError for options that make no sense, at once.
   */
  batches({ signal, backPressure = "block", size = DEFAULT_BATCH }: BatchOptions = {}): AsyncIterableIterator<T[]> {
    if (!(size >= 1)) throw new TypeError(`A batch of at most ${size} events makes no sense.`);
    return this.#loop(signal, size, capacityOf(backPressure), sampleOf(backPressure));
  }

  [Symbol.asyncIterator](): AsyncIterator<T[]> {
    return this.batches();
  }

  /** Lets the process end while the reader waits. */
  unref(): this {
    this.#referenced = false;
    this.#wakeUp?.unref();
    return this;
  }

  /** Keeps the process alive again while the reader waits. */
  ref(): this {
    this.#referenced = true;
    this.#wakeUp?.ref();
    return this;
  }

  /** Stops reading and gives back what the reader made and mapped. Closing again does nothing. */
  close(): void {
    if (this.#closed) return;
    if (this.#use !== "lease") this._source.settle();
    this.#closed = true;
    this._source.tally.stopped = true;
    this.#wakeUp?.close();
    this.#stopListening?.();
    this.#left?.();
    this.#wake?.();
    if (this.#use !== "loop") this.#abandon();
    // Called in the reader's own callback: the drain under way first gives back what was delivered.
    if (!this.#draining) this._source.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Takes the reader for a group, which is told when it is closed; the function gives it back. */
  _join(left: () => void): () => void {
    this.#check();
    this.#claim("group");
    this.#left = left;
    return () => {
      this.#use = undefined;
      this.#left = undefined;
    };
  }

  /** Begins to read what is there now: the reader's own business, or its group's. Throws TypeError in a callback. */
  _begin(quietly: boolean): void {
    this.#mustNotDrain();
    this.#draining = true;
    try {
      this._source.look(quietly);
    } catch (error) {
      this._end();
      throw error;
    }
  }

  /** Ends what `_begin` began; who closed the reader meanwhile is obeyed now. */
  _end(): void {
    this._source.finish();
    this.#endDraining();
  }

  protected get closed(): boolean {
    return this.#closed;
  }

  /** The books as far as they are the same for all; `dropped` is what the stream knows. */
  protected commonBooks(dropped: number | undefined): EventBooks {
    const { tally, pendingBytes } = this._source;
    const { displaced, length } = this.#queue;
    return {
      delivered: tally.delivered - displaced - length - this.#abandoned,
      dropped,
      undecoded: tally.undecoded,
      skipped: tally.skipped,
      displaced,
      abandoned: tally.abandoned + this.#abandoned,
      queued: length,
      pendingBytes: this.#closed ? 0 : pendingBytes,
    };
  }

  async *#loop(signal: AbortSignal | undefined, size: number, capacity: number, sample: number): AsyncGenerator<T[]> {
    signal?.throwIfAborted();
    if (this.#closed) return;
    this.#claim("loop");
    const queue = this.#queue;
    queue.capacity = capacity;
    const pausing = capacity === Number.POSITIVE_INFINITY;
    let failure: { readonly error: unknown } | undefined;
    const visit = (event: T) => queue.push(event);
    const wakeUp = this.#waitWith((quietly) => {
      const before = queue.length + queue.displaced;
      const limit = pausing ? size : Number.MAX_SAFE_INTEGER;
      let pressing = false;
      try {
        pressing = this.#read(visit, limit, quietly, sample) === limit;
      } catch (error) {
        failure = { error };
      }
      if (queue.length > 0 || failure !== undefined) this.#wake?.();
      return { records: queue.length + queue.displaced - before, pressing };
    });
    const onAbort = () => this.#wake?.();
    signal?.addEventListener("abort", onAbort);
    try {
      while (!this.#closed || queue.length > 0) {
        if (queue.length === 0 && failure === undefined) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
            wakeUp.start();
          });
        }
        if (pausing || failure !== undefined) wakeUp.stop();
        signal?.throwIfAborted();
        // What was read before a record that cannot be decoded is delivered first.
        if (queue.length > 0) yield queue.take(size);
        else if (failure !== undefined) throw failure.error;
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      queue.capacity = Number.POSITIVE_INFINITY;
      this.#wake = undefined;
      this.#use = undefined;
      wakeUp.close();
      this._source.hush();
      if (this.#closed) this.#abandon();
      else this._source.settle();
    }
  }

  #abandon(): void {
    this.#abandoned += this.#queue.take().length;
  }

  #waitWith(drain: (quietly: boolean) => Drained): WakeUp {
    const source = this._source;
    this.#wakeUp?.close();
    this.#wakeUp = new WakeUp(source.descriptor, this.#latency, {
      toldOnce: source.toldOnce,
      get capacity() {
        return source.capacity;
      },
      drain: (quietly) => {
        const { records, pressing } = drain(quietly);
        return { records, pressing: pressing || source.taken > PRESSING };
      },
      hush: () => source.hush(),
      arm: () => {
        if (this.#closed) return false;
        source.settle();
        return source.arm();
      },
    });
    if (!this.#referenced) this.#wakeUp.unref();
    return this.#wakeUp;
  }

  /** Events left over from a loop first, then those of the stream. */
  #drain(visit: (event: T) => void, limit: number, quietly: boolean, sample: number): number {
    if (this.#queue.length === 0) return this.#read(visit, limit, quietly, sample);
    const { count, stopped } = this.#handOut(visit, limit);
    return stopped || count === limit ? count : count + this.#read(visit, limit - count, quietly, sample);
  }

  #handOut(visit: (event: T) => void, limit: number): { readonly count: number; readonly stopped: boolean } {
    this.#mustNotDrain();
    const queue = this.#queue;
    const { tally } = this._source;
    this.#draining = true;
    let count = 0;
    try {
      while (queue.length > 0 && count < limit && !tally.stopped) {
        count++;
        visit(queue.take(1)[0] as T);
      }
      return { count, stopped: tally.stopped };
    } finally {
      this.#endDraining();
    }
  }

  #read(visit: (event: T) => void, limit: number, quietly: boolean, sample: number): number {
    const source = this._source;
    this._begin(quietly);
    try {
      return sample > 1 && source.filled > BEHIND ? this.#sample(visit, limit, sample) : source.read(visit, limit);
    } finally {
      this._end();
    }
  }

  #sample(visit: (event: T) => void, limit: number, sample: number): number {
    const source = this._source;
    let count = 0;
    while (count < limit && !source.tally.stopped && source.read(visit, 1) === 1) {
      count++;
      if (!source.tally.stopped) source.skip(sample - 1);
    }
    return count;
  }

  #claim(use: Use): void {
    if (this.#use !== undefined) throw new TypeError(`The ${this._source.name} already has a ${this.#use}.`);
    this.#use = use;
  }

  #mustNotBe(...uses: readonly Use[]): void {
    if (this.#use !== undefined && uses.includes(this.#use)) this.#claim(this.#use);
  }

  #mustNotDrain(): void {
    if (this.#draining) throw new TypeError(`The ${this._source.name} cannot be read in its own callback.`);
  }

  /** Who closed the reader while it was draining is obeyed now. */
  #endDraining(): void {
    this.#draining = false;
    if (this.#closed) this._source.close();
    else this._source.tally.stopped = false;
  }

  #check(): void {
    if (this.#closed) throw new ClosedError(this._source.name);
  }
}
