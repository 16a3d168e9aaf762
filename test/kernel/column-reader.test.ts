// Streams that a worker thread reads into columns.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  array,
  bytes,
  ColumnReader,
  createMap,
  RingBufferReader,
  str,
  struct,
  u8,
  u32,
  u64,
  u64n,
} from "../../src/sdk/index.ts";
import { countsOf, perfSender, ringSender, type Sender, Sent, send } from "../support/senders.ts";
import { streamTest } from "../support/stream-test.ts";

const BYTES = 16 * 4096;
const KINDS = { ring: () => ringSender(BYTES), perf: () => perfSender() } as const;
/** Until the worker reads: before that a perf buffer takes nothing. */
const reading = async (sender: Sender, reader: ColumnReader<typeof Sent>) => {
  await reader.books();
  assert.equal(countsOf(sender).refused, 0);
};

for (const [kind, makeSender] of Object.entries(KINDS)) {
  streamTest(`${kind}: every event once, in order, in columns`, async () => {
    using sender = makeSender();
    const reader = new ColumnReader(sender.maps.events, Sent, { rows: 100, chunks: 3, bytesPerCpu: BYTES });
    await reading(sender, reader);
    assert.throws(() => new ColumnReader(sender.maps.events, Sent), /has a reader already/);
    let expected = 0;
    let batches = 0;
    const total = 2000;
    send(sender, 1000);
    for await (const { count, columns } of reader) {
      assert.ok(count > 0 && count <= 100);
      assert.equal(columns.number.length, count);
      for (let i = 0; i < count; i++) {
        assert.equal(columns.number[i], expected++);
        assert.equal(columns.size[i], Sent.size);
      }
      if (++batches === 5) send(sender, 1000);
      if (expected === total) break;
    }
    assert.deepEqual(
      [(await reader.books()).delivered, (await reader.books()).queued, countsOf(sender).refused],
      [total, 0, 0],
    );
    await reader.close();
    await reader.close();
    // The map may have another reader now.
    if (kind === "ring") RingBufferReader.raw(sender.maps.events).close();
  });

  streamTest(`${kind}: books under a flood with a slow main thread, and when it is closed in the midst`, async () => {
    using sender = makeSender();
    const reader = new ColumnReader(sender.maps.events, Sent, { rows: 200, chunks: 2, bytesPerCpu: BYTES });
    await reading(sender, reader);
    let seen = 0;
    let last = -1;
    let batches = 0;
    send(sender, 10);
    for await (const { count, columns } of reader) {
      for (let i = 0; i < count; i++) {
        assert.ok((columns.number[i] as number) > last);
        last = columns.number[i] as number;
      }
      seen += count;
      send(sender, 1500);
      if (++batches === 12) break;
      await sleep(2);
    }
    await sleep(20);
    await reader.close();
    const books = await reader.books();
    const { attempted, refused } = countsOf(sender);
    assert.ok(refused > 0, "the buffer was full");
    assert.equal(books.delivered, seen);
    let left = 0;
    if (kind === "ring") {
      using next = RingBufferReader.raw(sender.maps.events);
      left = next.consume(() => {});
    }
    assert.equal(books.delivered + books.abandoned + books.queued + refused + left, attempted, JSON.stringify(books));
  });

  streamTest(`${kind}: an abort ends the loop, waiting and busy; closing ends it, too`, async () => {
    using sender = makeSender();
    const reader = new ColumnReader(sender.maps.events, Sent, { bytesPerCpu: BYTES });
    await reading(sender, reader);
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await assert.rejects(async () => {
      for await (const _ of reader.batches({ signal: controller.signal })) assert.fail("there is nothing");
    }, /enough/);
    send(sender, 5);
    let seen = 0;
    for await (const { count } of reader) {
      seen += count;
      if (seen === 5) setTimeout(() => void reader.close(), 10);
    }
    assert.equal(seen, 5);
    await reader.close();
  });
}

streamTest("texts, bytes and bigints are columns, too", async () => {
  using sender = ringSender(BYTES, 32);
  const layout = struct({ number: u64, size: u32, low: u8, raw: bytes(3), name: str(8) });
  const reader = new ColumnReader(sender.maps.events, layout);
  send(sender, 3);
  for await (const batch of reader) {
    assert.deepEqual([...batch.columns.number].slice(0, 1), [0n]);
    assert.equal(batch.columns.raw.length, 3 * batch.count);
    assert.equal(batch.text("name", 0), "");
    assert.throws(() => batch.text("name", batch.count), RangeError);
    assert.throws(() => batch.text("size", 0), RangeError);
    break;
  }
  await reader.close();
});

streamTest("a record that cannot be decoded: the loop has what was before it, then the error", async () => {
  using sender = ringSender(BYTES, 16);
  const reader = new ColumnReader(sender.maps.events, struct({ number: u64n, size: u32, rest: u32, more: u64n }));
  send(sender, 1);
  await assert.rejects(async () => {
    for await (const _ of reader) assert.fail("there is nothing whole");
  }, /16 bytes is too short.*24 bytes/);
  assert.equal((await reader.books()).undecoded, 1);
  await reader.close();
});

streamTest("an error of the worker's has its name and code, too", async () => {
  using sender = ringSender(BYTES);
  sender.maps.counts.set(0, { attempted: Number.MAX_SAFE_INTEGER, refused: 0 });
  const reader = new ColumnReader(sender.maps.events, Sent);
  send(sender, 2);
  await assert.rejects(
    async () => {
      for await (const { columns } of reader) assert.deepEqual([...columns.number], [Number.MAX_SAFE_INTEGER]);
    },
    { name: "CodecError", code: "SKEP_CODEC", message: /above 2\^53/ },
  );
  await reader.close();
});

streamTest("what makes no column is refused, with what to do", () => {
  using sender = ringSender(BYTES);
  assert.throws(() => new ColumnReader(sender.maps.events, u32), /put it into a struct/);
  assert.throws(
    () => new ColumnReader(sender.maps.events, struct({ a: array(u32, 2) })),
    /"a" \(array\) makes no column/,
  );
  assert.throws(() => new ColumnReader(sender.maps.events, Sent, { rows: 0 }), TypeError);
  assert.throws(() => new ColumnReader(sender.maps.events, Sent, { chunks: 1 }), TypeError);
  using map = createMap({ type: "array", value: u32, maxEntries: 1 }, "array");
  assert.throws(() => new ColumnReader(map, Sent), /is of type array/);
  RingBufferReader.raw(sender.maps.events).close();
});
