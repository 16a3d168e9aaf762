import type { Worker } from "node:worker_threads";
import { type Layout, memoryOf, readText } from "../../object/codec/index.ts";
import type { BpfMap } from "../map/index.ts";
import { ClosedError, type Fd } from "../sys/index.ts";
import { type ChunkLayout, type Columns, chunkLayout, columnArray } from "./column-layout.ts";
import type { ColumnTask, FromWorker, ToWorker } from "./column-protocol.ts";
import type { EventBooks } from "./event-source.ts";
import { beginReading, checkReadable, endReading } from "./one-reader.ts";
import type { Latency } from "./wakeup.ts";

/** How a `ColumnReader` reads. */
export interface ColumnOptions {
  /** Most rows of a batch; 8192 by default. */
  readonly rows?: number | undefined;
  /** How many batches may be under way; 8 by default. When all are, events wait in the kernel's buffer. */
  readonly chunks?: number | undefined;
  /** `coalesced` (default): rare events come at once, thick ones within about 5 ms. `low`: each at once. */
  readonly latency?: Latency | undefined;
  /** Of a perf buffer: bytes of each CPU's buffer. */
  readonly bytesPerCpu?: number | undefined;
  /** How many records the programs could not send, by their own count; asked when the books are. */
  readonly dropped?: (() => number) | undefined;
}

/** Events side by side: row `i` is the value `i` of every column. Valid until the next batch is asked for. */
export interface ColumnBatch<L extends Layout> {
  readonly count: number;
  readonly columns: Columns<L>;
  /** The text of a `str` field in a row, up to the first NUL. */
  text(column: keyof Columns<L> & string, row: number): string;
}

/**
 * Reads a ring or perf buffer in a worker thread, which writes numbers, texts and bytes into columns in shared memory: the
 * main thread gets batches of typed arrays and pays for nothing but what it does with them. Worth it for hot streams whose
 * consumer looks at columns, or whose main thread is busy for longer than the kernel's buffer lasts (a larger buffer is
 * cheaper). The process stays alive while it is open. Whoever made it closes it; the map stays its owner's and must
 * stay open until `close()` has settled.
 */
export class ColumnReader<L extends Layout> implements AsyncIterable<ColumnBatch<L>> {
  readonly #map: BpfMap;
  readonly #layout: ChunkLayout;
  readonly #buffer: SharedArrayBuffer;
  readonly #states: Int32Array;
  readonly #chunks: number;
  readonly #worker: Worker;
  /** The worker's way to the map, which is closed after it. */
  readonly #fd: Fd;
  readonly #ended: Promise<void>;
  readonly #ready: { readonly chunk: number; readonly count: number }[] = [];
  readonly #asked = new Map<number, (books: EventBooks) => void>();
  readonly #dropped: (() => number) | undefined;
  #questions = 0;
  #taken = 0;
  #wake: (() => void) | undefined;
  #failure: Error | undefined;
  #last: EventBooks | undefined;
  #looping = false;
  #closing = false;

  /** Throws TypeError for fields that make no column, for another kind of map, and when the map has a reader already. */
  constructor(map: BpfMap, layout: L, options: ColumnOptions = {}) {
    const { rows = 8192, chunks = 8, latency = "coalesced", bytesPerCpu } = options;
    const isRing = map.info.type === "ringbuf";
    checkReadable(map, isRing ? "ringbuf" : "perf_event_array", isRing ? "Ring buffer" : "Perf buffer");
    if (!Number.isInteger(chunks) || chunks < 2)
      throw new TypeError(`${chunks} chunks make no sense: 2 are the least.`);
    this.#map = map;
    this.#dropped = options.dropped;
    this.#layout = chunkLayout(layout, rows);
    this.#chunks = chunks;
    this.#buffer = new SharedArrayBuffer(this.#layout.size * chunks);
    const states = new SharedArrayBuffer(4 * (chunks + 1));
    this.#states = new Int32Array(states);
    this.#fd = map.fd.duplicate();
    const task: ColumnTask = {
      fd: this.#fd.number,
      info: map.info,
      layout: this.#layout,
      chunks,
      buffer: this.#buffer,
      states,
      latency,
      bytesPerCpu,
    };
    // Beside this file, in the checkout and in the bundle.
    const file = new URL(`./column-worker${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
    try {
      // Loaded only now: with all that it loads, among it Node's streams, it takes milliseconds of whoever imports Skep.
      const { Worker } = process.getBuiltinModule("node:worker_threads");
      this.#worker = new Worker(file, { workerData: task });
    } catch (error) {
      this.#fd.close();
      throw error;
    }
    beginReading(map);
    this.#worker.on("message", (message: FromWorker) => this.#hear(message));
    this.#worker.on("error", (error: Error) => {
      this.#failure = error;
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#end();
        resolve();
      });
    });
  }

  /** Batches as they come; leaving the loop keeps the reader open. The signal ends it with its reason. */
  async *batches({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncGenerator<ColumnBatch<L>> {
    signal?.throwIfAborted();
    if (this.#looping) throw new TypeError(`The ${this.#name} already has a loop.`);
    this.#looping = true;
    const onAbort = () => this.#wake?.();
    signal?.addEventListener("abort", onAbort);
    try {
      for (;;) {
        const next = this.#ready[0];
        if (next === undefined) {
          if (this.#failure !== undefined) throw this.#failure;
          if (this.#last !== undefined) return;
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
          signal?.throwIfAborted();
          continue;
        }
        this.#ready.shift();
        this.#taken += next.count;
        try {
          yield this.#batch(next.chunk, next.count);
        } finally {
          this.#giveBack(next.chunk);
        }
        signal?.throwIfAborted();
      }
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#looping = false;
      this.#wake = undefined;
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<ColumnBatch<L>> {
    return this.batches();
  }

  /**
   * What became of the records; `queued` are rows in batches that nobody has asked for yet. `dropped` is what the option says,
   * or what the kernel counts (perf buffers); undefined for rings otherwise. After `close()` the last there is to say.
   */
  async books(): Promise<EventBooks> {
    const books = await (this.#last ?? this.#ask());
    const over = this.#last !== undefined;
    const waiting = books.delivered - this.#taken;
    return {
      ...books,
      dropped: this.#dropped?.() ?? books.dropped,
      delivered: this.#taken,
      queued: books.queued + (over && !this.#looping ? 0 : waiting),
      abandoned: books.abandoned + (over && !this.#looping ? waiting : 0),
    };
  }

  /** Ends the worker; a loop gets the batches that are ready and ends. Settles when the worker is gone. */
  async close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#tell({ kind: "close" });
    }
    await this.#ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #name(): string {
    return `column reader of map "${this.#map.name}"`;
  }

  #batch(chunk: number, count: number): ColumnBatch<L> {
    const at = chunk * this.#layout.size;
    const columns = Object.fromEntries(
      this.#layout.columns.map((column) => [column.name, columnArray(column, this.#buffer, at, count)]),
    ) as Columns<L>;
    const memory = memoryOf(this.#buffer as unknown as ArrayBuffer);
    const text = (name: string, row: number) => {
      const column = this.#layout.columns.find((each) => each.name === name);
      if (column?.kind !== "bytes" || !(row >= 0 && row < count))
        throw new RangeError(`There is no text "${name}" in row ${row} of a batch of ${count}.`);
      return readText(memory, at + column.at + row * column.size, column.size);
    };
    return { count, columns, text };
  }

  #giveBack(chunk: number): void {
    Atomics.store(this.#states, chunk, 0);
    if (Atomics.load(this.#states, this.#chunks) === 1) this.#tell({ kind: "freed" });
  }

  #ask(): Promise<EventBooks> {
    if (this.#closing)
      return this.#ended.then(() => this.#last ?? Promise.reject(this.#failure ?? new ClosedError(this.#name)));
    const id = this.#questions++;
    return new Promise((resolve) => {
      this.#asked.set(id, resolve);
      this.#tell({ kind: "books", id });
    });
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case "chunk":
        this.#ready.push(message);
        break;
      case "books":
        this.#asked.get(message.id)?.(message.books);
        this.#asked.delete(message.id);
        break;
      case "failed":
        this.#failure = Object.assign(message.error, message.own);
        break;
      case "closed":
        this.#last = message.books;
        for (const answer of this.#asked.values()) answer(message.books);
        this.#asked.clear();
        break;
      default:
    }
    this.#wake?.();
  }

  #end(): void {
    this.#last ??= {
      delivered: this.#taken,
      dropped: undefined,
      undecoded: 0,
      skipped: 0,
      displaced: 0,
      abandoned: 0,
      queued: 0,
      pendingBytes: 0,
    };
    for (const answer of this.#asked.values()) answer(this.#last);
    this.#asked.clear();
    this.#fd.close();
    endReading(this.#map);
    this.#wake?.();
  }
}
