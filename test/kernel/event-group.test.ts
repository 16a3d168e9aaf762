// Many streams read as one: every event once, books that are the members' sums, members that come and go.
import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ClosedError,
  EventGroup,
  type EventReader,
  type Infer,
  PerfBufferReader,
  RingBufferReader,
} from "../../src/sdk/index.ts";
import { countsOf, perfSender, ringSender, type Sender, Sent, send } from "../support/senders.ts";
import { streamTest, until } from "../support/stream-test.ts";

const BYTES = 16 * 4096;

/** Three rings and a perf buffer, with their readers. */
class Streams {
  readonly senders: readonly Sender[] = [ringSender(BYTES), ringSender(BYTES), ringSender(BYTES), perfSender()];
  readonly readers: readonly EventReader<Infer<typeof Sent>>[] = this.senders.map((sender, i) => {
    const dropped = () => countsOf(sender).refused;
    return i < 3
      ? RingBufferReader.of(sender.maps.events, Sent, { dropped })
      : PerfBufferReader.of(sender.maps.events, Sent, { bytesPerCpu: BYTES, dropped });
  });

  get attempted(): number {
    return this.senders.reduce((sum, sender) => sum + countsOf(sender).attempted, 0);
  }

  sendAll(count: number): void {
    for (const sender of this.senders) send(sender, count);
  }

  [Symbol.dispose](): void {
    for (const reader of this.readers) reader.close();
    for (const sender of this.senders) sender.close();
  }
}

streamTest("a group delivers each event of each member once, in each one's order, and says whose it is", async () => {
  using streams = new Streams();
  using group = new EventGroup(streams.readers);
  const seen = new Map(streams.readers.map((reader) => [reader, [] as number[]]));
  group.listen(({ number }) => {
    assert.ok(group.member !== undefined);
    seen.get(group.member)?.push(number);
  });
  const count = () => [...seen.values()].reduce((sum, numbers) => sum + numbers.length, 0);
  for (let round = 0; round < 3; round++) {
    for (const sender of streams.senders) {
      send(sender, 1);
      await until(() => count() === streams.attempted);
      await sleep(3);
    }
    for (const end = Date.now() + 50; Date.now() < end; ) {
      streams.sendAll(10);
      await sleep(0);
    }
    await until(() => count() === streams.attempted);
  }
  assert.equal(group.member, undefined);
  for (const numbers of seen.values()) assert.deepEqual(numbers, [...numbers.keys()]);
  assert.equal(group.books.delivered, streams.attempted);
  assert.deepEqual([group.books.dropped, group.books.pendingBytes], [0, 0]);
});

streamTest("the books of a group in a flood: attempted = delivered + dropped + displaced + skipped", async () => {
  for (const backPressure of ["block", { dropOldest: 500 }, { sample: 7 }] as const) {
    using streams = new Streams();
    using group = new EventGroup(streams.readers);
    streams.sendAll(10);
    let batches = 0;
    for await (const _ of group.batches({ backPressure, size: 200 })) {
      if (++batches === 10) break;
      streams.sendAll(1500);
      await sleep(3);
    }
    group.consume(() => {});
    const { delivered, dropped, displaced, skipped } = group.books;
    assert.equal(delivered + (dropped as number) + displaced + skipped, streams.attempted, JSON.stringify(group.books));
    assert.ok((dropped as number) + displaced + skipped > 0);
  }
});

streamTest("a limit is shared: each member has its turn, none is read twice", () => {
  using streams = new Streams();
  using group = new EventGroup(streams.readers);
  streams.sendAll(100);
  const turns = new Set<unknown>();
  let read = 0;
  while (read < 400) {
    const count = group.consume(() => void turns.add(group.member), 30);
    assert.ok(count > 0 && count <= 30);
    read += count;
  }
  assert.equal(read, 400);
  assert.equal(turns.size, 4);
});

streamTest("while they are in it only the group reads its members, and gives them back", async () => {
  using streams = new Streams();
  const [first] = streams.readers as [EventReader<Infer<typeof Sent>>];
  const group = new EventGroup(streams.readers);
  assert.throws(() => first.consume(() => {}), /already has a group/);
  assert.throws(() => first.listen(() => {}), /already has a group/);
  assert.throws(() => new EventGroup([first]), /already has a group/);
  streams.sendAll(2);
  group.close();
  group.close();
  assert.throws(() => group.consume(() => {}), ClosedError);
  for (const reader of streams.readers)
    assert.equal(
      reader.consume(() => {}),
      2,
    );
  assert.throws(() => new EventGroup([]), /no streams/);
  // One that cannot join leaves the others as they were.
  streams.readers[1]?.close();
  assert.throws(() => new EventGroup(streams.readers), ClosedError);
  first.listen(() => {});
});

streamTest("a member that is closed leaves, also in the group's callback; the others go on", async () => {
  using streams = new Streams();
  const [first, second] = streams.readers;
  using group = new EventGroup(streams.readers);
  const seen = new Map<unknown, number>();
  group.listen(() => {
    const { member } = group;
    seen.set(member, (seen.get(member) ?? 0) + 1);
    if (member === first && seen.get(first) === 3) first?.close();
  });
  streams.sendAll(10);
  await until(() => [...seen.values()].reduce((sum, count) => sum + count, 0) === 33);
  assert.equal(seen.get(first), 3);
  second?.close();
  streams.sendAll(5);
  await until(() => seen.get(streams.readers[2]) === 15 && seen.get(streams.readers[3]) === 15);
  await sleep(10);
  assert.deepEqual([seen.get(first), seen.get(second)], [3, 10]);
  assert.equal(group.books.delivered, 43);
});

streamTest("what is left unread while a loop's body awaits does not turn the event loop", async () => {
  using streams = new Streams();
  using group = new EventGroup(streams.readers);
  let seen = 0;
  streams.sendAll(10);
  for await (const events of group.batches({ size: 5 })) {
    seen += events.length;
    if (seen === 40) break;
    const before = performance.nodeTiming.uvMetricsInfo.loopCount;
    await sleep(20);
    const turns = performance.nodeTiming.uvMetricsInfo.loopCount - before;
    assert.ok(turns < 20, `${turns} turns for one timer`);
  }
  assert.equal(group.books.delivered, 40);
});

streamTest("a group of rings and a perf buffer reads what came while its loop's body awaited", async () => {
  using streams = new Streams();
  using group = new EventGroup(streams.readers);
  streams.sendAll(1);
  let seen = 0;
  let round = 0;
  for await (const events of group.batches({ size: 3 })) {
    seen += events.length;
    if (seen !== streams.attempted) continue;
    if (++round === 20) break;
    // One stream alone, before or after the event loop has turned.
    if (round % 2 === 0) await sleep(1);
    send(streams.senders[round % 4] as Sender, 1 + (round % 3));
    if (round % 5 === 0) await sleep(1);
  }
  assert.equal(group.books.delivered, streams.attempted);
});

streamTest("a lease of a group holds what all its members gave", () => {
  using streams = new Streams();
  using group = new EventGroup(streams.readers);
  streams.sendAll(5);
  const lease = group.lease(() => {});
  assert.equal(lease.count, 20);
  lease.close();
  assert.equal(
    group.consume(() => {}),
    20,
  );
  assert.equal(group.books.delivered, 20);
});
