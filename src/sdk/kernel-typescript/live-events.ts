import type { Layout } from "../../object/codec/index.ts";
import {
  type BatchOptions,
  type ListenOptions,
  type RingBooks,
  type RingBufferOptions,
  RingBufferReader,
} from "../../runtime/event/index.ts";
import type { BpfMap } from "../../runtime/map/index.ts";
import { ClosedError } from "../../runtime/sys/index.ts";

/**
 * The events of a ring buffer: one by one (`for await`), in batches, or by a callback. One way at a time. Read by a
 * `RingBufferReader`, which is made when the first of these is asked for; it is closed with the loaded module.
 */
export class LiveEvents<E> implements AsyncIterable<E> {
  /** The ring buffer itself. */
  readonly map: BpfMap;
  readonly #make: () => RingBufferReader<E>;
  #reader: RingBufferReader<E> | undefined;
  /** Events of a batch that a loop was left in the middle of: the next one begins with them. */
  #rest: E[] = [];
  #closed = false;

  constructor(map: BpfMap, make: () => RingBufferReader<E>) {
    this.map = map;
    this.#make = make;
  }

  /** Events of one layout. */
  static of<E>(map: BpfMap, layout: Layout, options: RingBufferOptions): LiveEvents<E> {
    return new LiveEvents<E>(map, () => RingBufferReader.of(map, layout, options) as RingBufferReader<E>);
  }

  /** Records of several types, as bytes. */
  static records(map: BpfMap, options: RingBufferOptions): LiveEvents<Uint8Array> {
    return new LiveEvents(map, () => RingBufferReader.with(map, (record) => record.copy(), options));
  }

  /** The reader, for what is not here: leases, reading by hand, groups of rings. Throws ClosedError. */
  get reader(): RingBufferReader<E> {
    if (this.#closed) throw new ClosedError(`The events of map "${this.map.name}"`);
    this.#reader ??= this.#make();
    return this.#reader;
  }

  /** What became of the events, as far as anybody knows. */
  get books(): RingBooks {
    const { books } = this.#reader ?? this.reader;
    const rest = this.#rest.length;
    return { ...books, delivered: books.delivered - rest, queued: books.queued + rest };
  }

  /** Events that found the ring full: the programs count them. */
  get dropped(): number {
    return this.books.dropped ?? 0;
  }

  /** Events as they come, one by one, until the loop is left or the module closed. */
  [Symbol.asyncIterator](): AsyncIterator<E> {
    return this.#each();
  }

  /** Batches of events as they come; options and errors as `EventReader.batches`. */
  async *batches(options?: BatchOptions): AsyncGenerator<E[]> {
    const rest = this.#rest.splice(0);
    if (rest.length > 0) yield rest;
    if (!this.#closed) yield* this.reader.batches(options);
  }

  /** Calls `callback` for each event from now on; what is given back ends it. */
  on(callback: (event: E) => void, options: Omit<ListenOptions, "signal"> = {}): Disposable {
    const abort = new AbortController();
    for (const event of this.#rest.splice(0)) callback(event);
    this.reader.listen(callback, { ...options, signal: abort.signal });
    return { [Symbol.dispose]: () => abort.abort() };
  }

  /** Hands each event that is there now to `visit`; how many there were. */
  consume(visit: (event: E) => void): number {
    const rest = this.#rest.splice(0);
    for (const event of rest) visit(event);
    return rest.length + this.reader.consume(visit);
  }

  /** Ends reading: the loaded module's business. */
  _close(): void {
    this.#closed = true;
    this.#reader?.close();
  }

  async *#each(): AsyncGenerator<E> {
    for await (const batch of this.batches()) {
      let at = 0;
      try {
        for (; at < batch.length; at++) yield batch[at] as E;
      } finally {
        // The event that the loop was left at was delivered.
        this.#rest = batch.slice(at + 1);
      }
    }
  }
}
