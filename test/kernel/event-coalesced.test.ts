// Coalesced reading: while events come thick the reader leaves its last record to the kernel as not consumed. Nobody may
// notice, neither who reads on nor who reads the ring next.
import assert from "node:assert/strict";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import {
  Assembler,
  type LoadedObject,
  loadObject,
  type ObjectSpec,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  r6,
  u64n,
} from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { until } from "../support/stream-test.ts";

const PAGE = 4096;
const needs = { kernel: "5.8" } as const;

/** Sends one record of `size` bytes a run, its number counting up; counts those the ring has no room for. */
function spec(ringBytes: number, size = 8) {
  const a = new Assembler();
  a.loadMapValue(r6, "made", 0);
  a.loadMap(r1, "events").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, "reserved");
  a.loadMapValue(r6, "dropped", 0).mov(r1, 1).atomicAdd("u64", r6, 0, r1).mov(r0, 0).exit();
  a.label("reserved").load("u64", r1, r6, 0).store("u64", r0, 0, r1);
  a.add(r1, 1).store("u64", r6, 0, r1);
  a.mov(r1, r0).mov(r2, 0).call("ringbuf_submit").mov(r0, 0).exit();
  return {
    maps: {
      events: { type: "ringbuf", maxEntries: ringBytes },
      made: { type: "array", value: u64n, maxEntries: 1 },
      dropped: { type: "array", value: u64n, maxEntries: 1 },
    },
    programs: { send: { type: "raw_tracepoint", instructions: a.instructions(), license: "Dual MIT/GPL" } },
  } as const satisfies ObjectSpec;
}

type Sender = LoadedObject<ReturnType<typeof spec>>;
const send = (object: Sender, count: number) => {
  for (let i = 0; i < count; i++) object.programs.send.testRun({ context: new Uint8Array(8) });
};
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
/** Sends thickly, at least `least` events and for long enough that the reader drains on its timer. */
const thick = async (object: Sender, least = 0) => {
  const end = Date.now() + 60;
  for (let sent = 0; sent < least || Date.now() < end; sent += 10) {
    send(object, 10);
    await turn();
  }
};

kernelTest(
  "thick, rare and thick again: every event once and in order, and nothing is left behind",
  needs,
  async () => {
    using object = loadObject(spec(256 * PAGE));
    const seen: number[] = [];
    const made = () => object.maps.made.get(0) as number;
    using ring = RingBufferReader.of(object.maps.events, u64n).listen((number) => void seen.push(number));
    for (let round = 0; round < 3; round++) {
      await thick(object);
      await until(() => seen.length === made());
      for (let i = 0; i < 10; i++) {
        await sleep(4);
        send(object, 1);
        await until(() => seen.length === made());
      }
    }
    assert.deepEqual(seen, numbers(0, made()));
    assert.equal(ring.books.pendingBytes, 0);
    ring.close();
    using next = RingBufferReader.of(object.maps.events, u64n);
    assert.equal(
      next.consume(() => {}),
      0,
    );
  },
);

kernelTest(
  "bursts that come some milliseconds apart, then rare ones: every event once and in order",
  needs,
  async () => {
    // Large enough to be read every four milliseconds.
    using object = loadObject(spec(1024 * PAGE));
    const seen: number[] = [];
    using ring = RingBufferReader.of(object.maps.events, u64n).listen((number) => void seen.push(number));
    let made = 0;
    for (const [bursts, count, gap] of [
      [40, 100, 1],
      [5, 1, 8],
      [40, 20, 2],
      [10, 300, 6],
      [5, 1, 1],
    ] as const) {
      for (let i = 0; i < bursts; i++) {
        send(object, count);
        made += count;
        await sleep(gap);
      }
      await until(() => seen.length === made);
    }
    assert.deepEqual(seen, numbers(0, made));
    assert.equal(object.maps.dropped.get(0), 0);
    assert.equal(ring.books.pendingBytes, 0);
  },
);

kernelTest("a loop over small batches does not wait between them while there are more", needs, async () => {
  const [all, size] = [3000, 20];
  using object = loadObject(spec(1024 * PAGE));
  using ring = RingBufferReader.of(object.maps.events, u64n);
  send(object, all);
  const seen: number[] = [];
  let turns = 0;
  const counting = (async () => {
    for (; seen.length < all; turns++) await turn();
  })();
  for await (const batch of ring.batches({ size })) {
    assert.ok(batch.length <= size);
    seen.push(...batch);
    if (seen.length === all) send(object, 1);
    if (seen.length > all) break;
  }
  await counting;
  assert.deepEqual(seen, numbers(0, all + 1));
  // Some for each batch; a wait of a millisecond is hundreds.
  assert.ok(turns < (6 * all) / size, `${turns} turns of the event loop`);
});

kernelTest(
  "closing in the midst, also in the callback: the next reader goes on where this one ended",
  needs,
  async () => {
    using object = loadObject(spec(256 * PAGE));
    const seen: number[] = [];
    for (const inside of [false, true, false, true]) {
      const before = seen.length;
      let wanted = Number.POSITIVE_INFINITY;
      using ring = RingBufferReader.of(object.maps.events, u64n).listen((number) => {
        seen.push(number);
        if (seen.length >= wanted) ring.close();
      });
      await thick(object);
      assert.ok(seen.length > before);
      send(object, 50);
      if (inside) {
        wanted = seen.length + 20;
        await until(() => seen.length >= wanted);
      } else {
        ring.close();
      }
    }
    using rest = RingBufferReader.of(object.maps.events, u64n);
    rest.consume((number) => void seen.push(number));
    assert.deepEqual(seen, numbers(0, object.maps.made.get(0) as number));
  },
);

kernelTest("a loop that is left and entered again sees every event once", needs, async () => {
  using object = loadObject(spec(256 * PAGE));
  using ring = RingBufferReader.of(object.maps.events, u64n);
  const seen: number[] = [];
  for (let round = 0; round < 3; round++) {
    const producing = thick(object, 300);
    const enough = seen.length + 300;
    for await (const batch of ring) {
      seen.push(...batch);
      if (seen.length >= enough) break;
    }
    await producing;
    ring.consume((number) => void seen.push(number));
  }
  assert.deepEqual(seen, numbers(0, object.maps.made.get(0) as number));
});

kernelTest("records that are large for their ring do not stand in each other's way", needs, async () => {
  using object = loadObject(spec(PAGE, 2000));
  let delivered = 0;
  using ring = RingBufferReader.raw(object.maps.events).listen(() => {
    delivered++;
  });
  // Two of them fill the ring: each must have made room before the next two come.
  for (let i = 0; i < 100; i++) {
    send(object, 2);
    const all = 2 * (i + 1);
    await until(() => delivered === all);
  }
  assert.equal(delivered, 200);
  assert.equal(object.maps.dropped.get(0), 0);
  assert.equal(ring.books.pendingBytes, 0);
});
