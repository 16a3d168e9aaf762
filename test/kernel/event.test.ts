// The ring buffer reader: every way of reading it, and books that add up whatever happens.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Assembler,
  ClosedError,
  type LoadedObject,
  loadObject,
  type ObjectSpec,
  type RingBufferOptions,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  r6,
  struct,
  u32,
  u64n,
} from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";

const PAGE = 4096;
const Event = struct({ number: u64n, size: u32, rest: u32 });

/** Sends one record a run: its number counts up; every third is discarded when `discards`. Made by hand, never attached. */
function spec(ringBytes: number, size = Event.size, discards = false) {
  const a = new Assembler();
  a.loadMapValue(r6, "counts", 0);
  a.loadMap(r1, "events").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, "reserved");
  a.mov(r1, 1).atomicAdd("u64", r6, 8, r1).mov(r0, 0).exit();
  a.label("reserved").load("u64", r1, r6, 0).store("u64", r0, 0, r1).store("u32", r0, 8, size);
  a.mov(r2, r1).add(r2, 1).store("u64", r6, 0, r2);
  if (discards) {
    a.mod(r1, 3).jne(r1, 0, "submit").mov(r1, r0).mov(r2, 0).call("ringbuf_discard").mov(r0, 0).exit();
    a.label("submit");
  }
  a.mov(r1, r0).mov(r2, 0).call("ringbuf_submit").mov(r0, 0).exit();
  return {
    maps: {
      events: { type: "ringbuf", maxEntries: ringBytes },
      counts: { type: "array", value: struct({ made: u64n, dropped: u64n }), maxEntries: 1 },
    },
    programs: { send: { type: "raw_tracepoint", instructions: a.instructions(), license: "Dual MIT/GPL" } },
  } as const satisfies ObjectSpec;
}

type Sender = LoadedObject<ReturnType<typeof spec>>;
const send = (object: Sender, count: number) => {
  for (let i = 0; i < count; i++) object.programs.send.testRun({ context: new Uint8Array(8) });
};
const counts = (object: Sender) => object.maps.counts.get(0) as { made: number; dropped: number };
/** The books where nothing is lost or waits. */
const clean = {
  delivered: 0,
  discarded: 0,
  dropped: 0,
  undecoded: 0,
  skipped: 0,
  displaced: 0,
  abandoned: 0,
  queued: 0,
  pendingBytes: 0,
};
const reader = (object: Sender, options: RingBufferOptions = {}) =>
  RingBufferReader.of(object.maps.events, Event, { dropped: () => counts(object).dropped, ...options });

kernelTest("consume reads what is there, in order, and no more than asked", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE));
  using ring = reader(object);
  assert.equal(
    ring.consume(() => assert.fail("there is nothing")),
    0,
  );
  send(object, 10);
  const seen: number[] = [];
  assert.equal(
    ring.consume(({ number }) => void seen.push(number), 4),
    4,
  );
  assert.equal(
    ring.consume(({ number }) => void seen.push(number)),
    6,
  );
  assert.deepEqual(seen, [...Array(10).keys()]);
  assert.deepEqual(ring.books, { ...clean, delivered: 10 });
});

kernelTest("a full ring: attempted = delivered + dropped, and room comes back", { kernel: "5.8" }, () => {
  using object = loadObject(spec(PAGE));
  using ring = reader(object);
  send(object, 300);
  const delivered = ring.consume(() => {});
  const { dropped } = counts(object);
  assert.ok(dropped > 0 && delivered > 0);
  assert.equal(delivered + dropped, 300);
  assert.equal(ring.books.dropped, dropped);
  send(object, 20);
  assert.equal(
    ring.consume(() => {}),
    20,
  );
});

kernelTest("records that wrap round the end of the ring are whole, hundreds of times", { kernel: "5.8" }, () => {
  for (const size of [16, 24, 40, 1000, 4000]) {
    using object = loadObject(spec(2 * PAGE, size));
    using ring = RingBufferReader.raw(object.maps.events);
    let expected = 0;
    for (let round = 0; round < 60; round++) {
      send(object, 2);
      ring.consume((bytes) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset);
        assert.equal(bytes.length, size);
        assert.equal(Number(view.getBigUint64(0, true)), expected++);
        assert.equal(view.getUint32(8, true), size);
      });
    }
    assert.equal(expected, 120);
  }
});

kernelTest("what a program discards is in the books and not delivered", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE, Event.size, true));
  using ring = reader(object);
  send(object, 30);
  const seen: number[] = [];
  ring.consume(({ number }) => void seen.push(number));
  assert.ok(seen.every((number) => number % 3 !== 0));
  assert.deepEqual(ring.books, { ...clean, delivered: 20, discarded: 10 });
});

for (const latency of ["coalesced", "low"] as const) {
  kernelTest(`listen (${latency}) delivers each event, those there before among them`, { kernel: "5.8" }, async () => {
    using object = loadObject(spec(16 * PAGE));
    send(object, 3);
    using ring = reader(object, { latency });
    const seen: number[] = [];
    ring.listen(({ number }) => void seen.push(number));
    for (let i = 0; i < 40; i++) {
      send(object, 5);
      if (i % 8 === 0) await sleep(2);
    }
    for (let i = 0; i < 500 && seen.length < 203; i++) await sleep(2);
    assert.deepEqual(seen, [...Array(203).keys()]);
  });
}

kernelTest("for await gives batches; close ends the loop", { kernel: "5.8" }, async () => {
  using object = loadObject(spec(16 * PAGE));
  using ring = reader(object);
  send(object, 4);
  const seen: number[] = [];
  for await (const batch of ring) {
    assert.ok(batch.length > 0);
    seen.push(...batch.map(({ number }) => number));
    if (seen.length < 12) send(object, 4);
    else ring.close();
  }
  assert.deepEqual(seen, [...Array(12).keys()]);
});

kernelTest("close while a loop waits ends it; closing twice does nothing", { kernel: "5.8" }, async () => {
  using object = loadObject(spec(16 * PAGE));
  const ring = reader(object);
  setTimeout(() => ring.close(), 20);
  for await (const _ of ring) assert.fail("there is nothing");
  ring.close();
  assert.throws(() => ring.consume(() => {}), ClosedError);
});

kernelTest(
  "close in the callback: the event was delivered, no other is, what follows stays in the ring",
  { kernel: "5.8" },
  () => {
    using object = loadObject(spec(16 * PAGE));
    send(object, 5);
    const ring = reader(object);
    let seen = 0;
    ring.consume(({ number }) => {
      seen++;
      if (number === 1) ring.close();
    });
    assert.equal(seen, 2);
    using again = reader(object);
    const rest: number[] = [];
    again.consume(({ number }) => void rest.push(number));
    assert.deepEqual(rest, [2, 3, 4]);
  },
);

kernelTest("a callback that throws: its event does not come again, the next does", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE));
  using ring = reader(object);
  send(object, 3);
  const seen: number[] = [];
  const visit = ({ number }: { number: number }) => {
    seen.push(number);
    if (number === 0) throw new Error("mine");
  };
  assert.throws(() => ring.consume(visit), /mine/);
  ring.consume(visit);
  assert.deepEqual(seen, [0, 1, 2]);
});

kernelTest("a record too short for the layout is an error that names both sizes", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE, 12));
  using ring = reader(object);
  send(object, 1);
  assert.throws(() => ring.consume(() => {}), /12 bytes.*16 bytes/s);
  assert.deepEqual(ring.books, { ...clean, undecoded: 1 });
});

kernelTest("what cannot be decoded ends a loop at once after the events before it", { kernel: "5.8" }, async () => {
  for (const backPressure of ["block", { dropOldest: 10 }] as const) {
    using object = loadObject(spec(16 * PAGE));
    using ring = reader(object);
    object.maps.counts.set(0, { made: Number.MAX_SAFE_INTEGER - 1, dropped: 0 });
    send(object, 3);
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        for await (const events of ring.batches({ backPressure, signal: AbortSignal.timeout(10_000) }))
          for (const { number } of events) seen.push(number);
      },
      { name: "CodecError" },
    );
    assert.deepEqual(seen, [Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER]);
  }
});

kernelTest("one way at a time, and no reading in its own callback", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE));
  using ring = reader(object);
  ring.listen(() => {});
  assert.throws(() => ring.listen(() => {}), TypeError);
  ring.close();
  using other = reader(object);
  send(object, 1);
  assert.throws(() => other.consume(() => other.consume(() => {})), TypeError);
});

kernelTest("a lease reads fields in place, and nothing outside the record", { kernel: "5.8" }, () => {
  using object = loadObject(spec(16 * PAGE));
  send(object, 2);
  using ring = RingBufferReader.with(object.maps.events, (record) => {
    assert.throws(() => record.u32(16), RangeError);
    assert.throws(() => record.u8(-1), RangeError);
    return [record.u64n(0), record.u32(8), record.copy(8, 4)[0], record.length];
  });
  const seen: unknown[] = [];
  ring.consume((values) => void seen.push(values));
  assert.deepEqual(seen, [
    [0, 16, 16, 16],
    [1, 16, 16, 16],
  ]);
});

kernelTest("books without a counter say that drops are not known", { kernel: "5.8" }, () => {
  using object = loadObject(spec(PAGE));
  using ring = RingBufferReader.of(object.maps.events, Event);
  assert.equal(ring.books.dropped, undefined);
  assert.throws(() => RingBufferReader.raw(object.maps.counts as never), /not ringbuf/);
});
