import { type Encoder, type Infer, type Layout, type Memory, makeEncoder, memoryOf } from "../../object/codec/index.ts";
import { type BpfMap, mapDetails } from "../map/index.ts";
import { ClosedError, Mapping, Protection, pageSize, Waiter } from "../sys/index.ts";

/** How long is waited where there is some room, but not enough for the record. */
const RETRY_MS = 1;
/** And where there is none, at most. */
const FULL_RETRY_MS = 50;
/** Before each record: its length, and a word of nothing (linux/bpf.h, BPF_RINGBUF_HDR_SZ). */
const HEADER = 8;

/** What became of what was to be written. */
export interface UserRingBooks {
  readonly written: number;
  /** Refused because the ring was full: `write` returned false. */
  readonly refused: number;
  /** Bytes that programs have not taken yet, headers included. */
  readonly pendingBytes: number;
}

/** Ids of maps that have a writer in this process: two would write over each other. */
const beingWritten = new Set<number>();

/**
 * Writes to a ring that programs read (`BPF_MAP_TYPE_USER_RINGBUF`, Linux 6.1; they take records with
 * `bpf_user_ringbuf_drain`). A record is there for them when `write` returns: no system call is made. A map has one writer
 * at a time. The writer maps the ring for itself and must be closed; the map stays its owner's. Follows
 * Documentation/bpf/ringbuf.rst and kernel/bpf/ringbuf.c.
 */
export class UserRingBuffer<L extends Layout | undefined = undefined> {
  readonly #map: BpfMap;
  readonly #id: number;
  readonly #consumer: Mapping;
  readonly #producer: Mapping;
  readonly #consumed: BigUint64Array;
  readonly #produced: BigUint64Array;
  readonly #memory: Memory;
  readonly #size: number;
  readonly #layout: Layout | undefined;
  readonly #encode: Encoder<unknown> | undefined;
  /** Where values are written first: one that does not fit must not be in the ring. */
  readonly #scratch: Memory;
  #position: bigint;
  /** The last of those that wait for room: each has its turn. */
  #sending: Promise<unknown> = Promise.resolve();
  /** Ends the waiting of the first of them. */
  #wake: (() => void) | undefined;
  #written = 0;
  #refused = 0;
  #closed = false;

  constructor(map: BpfMap, layout?: L) {
    const { type, maxEntries, name } = map.info;
    if (type !== "user_ringbuf")
      throw new TypeError(`Map "${name}" is of type ${type}, and only a user_ringbuf is written to.`);
    this.#id = mapDetails(map).id;
    if (beingWritten.has(this.#id)) throw new TypeError(`Map "${name}" has a writer already: close that one first.`);
    this.#map = map;
    this.#size = maxEntries;
    this.#layout = layout;
    this.#encode = layout === undefined ? undefined : (makeEncoder(layout) as Encoder<unknown>);
    this.#scratch = memoryOf(new ArrayBuffer(Math.ceil((layout?.size ?? 0) / 8) * 8));
    const page = pageSize();
    const what = `ring of map "${name}"`;
    this.#consumer = new Mapping(map.fd, page, Protection.read, 0, what);
    try {
      // The data is there twice in a row, so that no record is cut in two by the ring's end.
      this.#producer = new Mapping(map.fd, page + 2 * maxEntries, Protection.read | Protection.write, page, what);
    } catch (error) {
      this.#consumer.close();
      throw error;
    }
    this.#consumed = new BigUint64Array(this.#consumer.buffer, 0, 1);
    this.#produced = new BigUint64Array(this.#producer.buffer, 0, 1);
    this.#memory = memoryOf(this.#producer.buffer);
    this.#position = Atomics.load(this.#produced, 0);
    beingWritten.add(this.#id);
  }

  /**
   * Writes a record: a value of the layout, or bytes without one. False when it does not fit now, as programs have not taken
   * enough: nothing is written then, and the books count it. Throws CodecError for a value that does not fit the layout,
   * RangeError for bytes that never fit, ClosedError after `close()`.
   */
  write(value: L extends Layout ? Infer<L> : Uint8Array): boolean {
    if (this.#put(value)) return true;
    this.#refused++;
    return false;
  }

  /**
   * Writes a record as soon as there is room for it, in the order of the calls. An abort rejects with the signal's reason, and
   * `close()` with ClosedError: the record is not written then. Rejects with what `write` throws. Keeps the process alive
   * while it waits.
   */
  send(
    value: L extends Layout ? Infer<L> : Uint8Array,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<void> {
    const sent = this.#sending.then(async () => {
      signal?.throwIfAborted();
      while (!this.#put(value)) {
        await this.#room(signal);
        signal?.throwIfAborted();
      }
    });
    this.#sending = sent.catch(() => {});
    return sent;
  }

  /** Until programs have taken something, or nobody waits any more. */
  async #room(signal: AbortSignal | undefined): Promise<void> {
    // Writable is a ring with any room at all, and programs may take records without telling (BPF_RB_NO_WAKEUP).
    const full = this.pendingBytes > this.#size - HEADER;
    let wake: (() => void) | undefined;
    let timer: NodeJS.Timeout | undefined;
    const waiter = new Waiter(this.#map.fd, () => wake?.(), "writable");
    try {
      await new Promise<void>((resolve) => {
        wake = resolve;
        this.#wake = resolve;
        signal?.addEventListener("abort", resolve as () => void);
        timer = setTimeout(resolve, full ? FULL_RETRY_MS : RETRY_MS);
        if (full) waiter.start();
      });
    } finally {
      if (wake !== undefined) signal?.removeEventListener("abort", wake);
      this.#wake = undefined;
      clearTimeout(timer);
      waiter.close();
    }
  }

  /** False when it does not fit now. */
  #put(value: L extends Layout ? Infer<L> : Uint8Array): boolean {
    if (this.#closed) throw new ClosedError(this.#producer.what);
    let bytes: Uint8Array;
    if (this.#layout === undefined || this.#encode === undefined) bytes = value as Uint8Array;
    else {
      this.#encode(this.#scratch, 0, value);
      bytes = this.#scratch.u8.subarray(0, this.#layout.size);
    }
    const { length } = bytes;
    const total = Math.ceil((HEADER + length) / 8) * 8;
    if (length === 0 || total > this.#size)
      throw new RangeError(`A record of ${length} bytes never fits ring "${this.#map.name}" of ${this.#size} bytes.`);
    if (this.pendingBytes + total > this.#size) return false;
    const at = pageSize() + Number(this.#position & BigInt(this.#size - 1));
    this.#memory.view.setUint32(at, length, true);
    this.#memory.view.setUint32(at + 4, 0, true);
    this.#memory.u8.set(bytes, at + HEADER);
    this.#position += BigInt(total);
    // What was written before is seen by whoever sees the new position.
    Atomics.store(this.#produced, 0, this.#position);
    this.#written++;
    return true;
  }

  /** Bytes that programs have not taken yet. */
  get pendingBytes(): number {
    void this.#consumer.buffer;
    return Number(this.#position - Atomics.load(this.#consumed, 0));
  }

  get books(): UserRingBooks {
    return { written: this.#written, refused: this.#refused, pendingBytes: this.#closed ? 0 : this.pendingBytes };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#wake?.();
    beingWritten.delete(this.#id);
    this.#consumer.close();
    this.#producer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
