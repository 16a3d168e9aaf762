// The worker's side of `ColumnReader`: reads the stream and writes it into columns. Started by it, and of no use otherwise.
import { setTimeout as sleep } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { BpfMap } from "../map/index.ts";
import { Fd } from "../sys/index.ts";
import type { ColumnTask, FromWorker, ToWorker } from "./column-protocol.ts";
import { makeRowWriter } from "./column-writer.ts";
import { PerfBufferReader } from "./perf-buffer-reader.ts";
import type { RecordView } from "./record-view.ts";
import { RingBufferReader } from "./ring-buffer-reader.ts";
import { tooShortFor } from "./too-short.ts";
import { PRESSING } from "./wakeup.ts";

const task = workerData as ColumnTask;
const { layout, chunks, latency, bytesPerCpu } = task;
const port = parentPort as NonNullable<typeof parentPort>;
const say = (message: FromWorker) => port.postMessage(message);
const states = new Int32Array(task.states);
const WAITING = chunks;
/**
 * A message costs the main thread as much as hundreds of events in columns: when they come thick, so many at least, the
 * next batch is not read before this long, unless a good part of the buffer has been taken already.
 */
const THICK = 64;
const HOLD_MS = 4;

const tooShort = tooShortFor(layout.recordSize);
const writers = Array.from({ length: chunks }, (_, i) => makeRowWriter(layout, task.buffer, i * layout.size, tooShort));
let write = writers[0] as (typeof writers)[number];
let row = 0;
const decode = (record: RecordView) => {
  write(record, row);
  row++;
};
const map = new BpfMap(new Fd(task.fd, `map "${task.info.name}"`), task.info);
const reader =
  task.info.type === "ringbuf"
    ? RingBufferReader.with(map, decode, { latency })
    : PerfBufferReader.with(map, decode, { latency, bytesPerCpu });

let freed: (() => void) | undefined;
let closing = false;
port.on("message", (message: ToWorker) => {
  if (message.kind === "freed") freed?.();
  else if (message.kind === "books") say({ kind: "books", id: message.id, books: reader.books });
  else {
    closing = true;
    reader.close();
    freed?.();
  }
});

/** Until a chunk is not the reader's any more; events wait in the kernel's buffer. */
async function free(chunk: number): Promise<void> {
  while (Atomics.load(states, chunk) !== 0 && !closing) {
    const told = new Promise<void>((resolve) => {
      freed = resolve;
    });
    Atomics.store(states, WAITING, 1);
    if (Atomics.load(states, chunk) !== 0 && !closing) await told;
    Atomics.store(states, WAITING, 0);
  }
}

say({ kind: "ready" });
try {
  let chunk = 0;
  for await (const batch of reader.batches({ size: layout.rows })) {
    Atomics.store(states, chunk, 1);
    say({ kind: "chunk", chunk, count: batch.length });
    chunk = (chunk + 1) % chunks;
    await free(chunk);
    write = writers[chunk] as typeof write;
    row = 0;
    const thick = batch.length >= THICK && batch.length < layout.rows && reader._source.taken < PRESSING;
    if (thick && latency === "coalesced" && !closing) await sleep(HOLD_MS);
  }
} catch (error) {
  say({ kind: "failed", error: error as Error, own: Object.assign({}, error) });
} finally {
  reader.close();
  say({ kind: "closed", books: reader.books });
  port.close();
}
