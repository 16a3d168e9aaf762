// The books of every kind of stream: what programs attempted, by their own count, is what was delivered and what was not,
// by cause, whatever happens to the consumer. And the ways to end and to shed, which all streams have from one reader.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  type BackPressure,
  type EventBooks,
  type EventReader,
  type Infer,
  mapDetails,
  PerfBufferReader,
  programDetails,
  RingBufferReader,
} from "../../src/sdk/index.ts";
import { environment } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { countsOf, perfSender, ringSender, type Sender, Sent, send } from "../support/senders.ts";
import { linesOf, stoppedConsumer } from "../support/stopped-consumer.ts";
import { streamTest } from "../support/stream-test.ts";

const SMALL = 16 * 4096;
type Reader = EventReader<Infer<typeof Sent>, EventBooks>;

/** Each kind of stream: its sender, and its reader with a buffer of 64 KiB. */
const KINDS = {
  ring: {
    sender: () => ringSender(SMALL),
    reader: (sender: Sender): Reader =>
      RingBufferReader.of(sender.maps.events, Sent, { dropped: () => countsOf(sender).refused }),
  },
  perf: {
    sender: () => perfSender(),
    reader: (sender: Sender): Reader =>
      PerfBufferReader.of(sender.maps.events, Sent, { bytesPerCpu: SMALL, dropped: () => countsOf(sender).refused }),
  },
} as const;

/** Everything that was attempted is in one of the books; nothing waits any more. */
function balanced(sender: Sender, books: EventBooks, message?: string): void {
  const { delivered, dropped, undecoded, skipped, displaced, abandoned, queued } = books;
  assert.equal(
    delivered + (dropped as number) + undecoded + skipped + displaced + abandoned + queued,
    countsOf(sender).attempted,
    `${message ?? ""} ${JSON.stringify(books)}`,
  );
}

/** Numbers that only rise: none twice, none out of order. */
function rising(numbers: readonly number[]): void {
  for (let i = 1; i < numbers.length; i++) assert.ok((numbers[i] as number) > (numbers[i - 1] as number));
}

for (const [kind, { sender: makeSender, reader: makeReader }] of Object.entries(KINDS)) {
  streamTest(`${kind}: flood, more than the buffer holds`, async () => {
    using sender = makeSender();
    using reader = makeReader(sender);
    let seen = 0;
    reader.listen(() => {
      seen++;
    });
    for (let i = 0; i < pace(100, 10); i++) {
      send(sender, 5000);
      await sleep(0);
    }
    await sleep(20);
    reader.consume(() => {
      seen++;
    });
    assert.ok(countsOf(sender).refused > 0);
    assert.equal(reader.books.delivered, seen);
    assert.equal(reader.books.pendingBytes, 0);
    balanced(sender, reader.books);
  });

  streamTest(`${kind}: abort of a listener, in its callback and outside; what follows is read next`, async () => {
    using sender = makeSender();
    using reader = makeReader(sender);
    const seen: number[] = [];
    for (const inside of [true, false, true]) {
      const controller = new AbortController();
      const enough = seen.length + 5;
      reader.listen(
        ({ number }) => {
          seen.push(number);
          if (inside && seen.length === enough) controller.abort();
        },
        { signal: controller.signal },
      );
      send(sender, 20);
      for (let i = 0; i < 1000 && seen.length < enough; i++) await sleep(1);
      if (!inside) controller.abort();
      const at = seen.length;
      if (inside) assert.equal(at, enough);
      send(sender, 10);
      await sleep(20);
      assert.equal(seen.length, at, "nothing comes after the abort");
      assert.throws(() => reader.listen(() => {}, { signal: controller.signal }), { name: "AbortError" });
    }
    reader.consume(({ number }) => void seen.push(number));
    assert.equal(seen.length, 90);
    balanced(sender, reader.books);
  });

  streamTest(`${kind}: abort of a loop, waiting and busy; what was read is not lost`, async () => {
    using sender = makeSender();
    using reader = makeReader(sender);
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(new Error("enough")), 20);
    await assert.rejects(async () => {
      for await (const _ of reader.batches({ signal: waiting.signal })) assert.fail("there is nothing");
    }, /enough/);
    const busy = new AbortController();
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        send(sender, 1);
        for await (const batch of reader.batches({ signal: busy.signal, backPressure: { dropOldest: 1000 } })) {
          seen.push(...batch.map(({ number }) => number));
          send(sender, 50);
          // Read into the queue meanwhile.
          for (let i = 0; i < 1000 && reader.books.queued === 0; i++) await sleep(1);
          busy.abort();
        }
      },
      { name: "AbortError" },
    );
    assert.ok(reader.books.queued > 0);
    balanced(sender, { ...reader.books, queued: 51 - seen.length });
    // An abort in the callback holds for what is left over from the loop, too.
    const third = new AbortController();
    const enough = seen.length + 3;
    reader.listen(
      ({ number }) => {
        seen.push(number);
        if (seen.length === enough) third.abort();
        assert.throws(() => reader.consume(() => {}), /in its own callback/);
      },
      { signal: third.signal },
    );
    send(sender, 1);
    for (let i = 0; i < 1000 && !third.signal.aborted; i++) await sleep(1);
    await sleep(10);
    assert.equal(seen.length, enough);
    reader.consume(({ number }) => void seen.push(number));
    assert.deepEqual(seen, [...Array(52).keys()]);
    balanced(sender, reader.books);
    await assert.rejects(async () => {
      for await (const _ of reader.batches({ signal: AbortSignal.abort() })) assert.fail("there is nothing");
    });
  });

  for (const [name, backPressure] of [
    ["block", "block"],
    ["drop the oldest", { dropOldest: 100 }],
    ["sample", { sample: 10 }],
  ] as const satisfies readonly (readonly [string, BackPressure])[]) {
    streamTest(`${kind}: a slow consumer that would rather ${name}`, async () => {
      using sender = makeSender();
      using reader = makeReader(sender);
      const seen: number[] = [];
      const rounds = 12;
      let round = 0;
      send(sender, 10);
      for await (const batch of reader.batches({ backPressure, size: 300 })) {
        assert.ok(batch.length <= 300);
        seen.push(...batch.map(({ number }) => number));
        if (++round === rounds) break;
        // More than it takes at a time: the buffer of 64 KiB has room for some 2000 records.
        send(sender, 1500);
        await sleep(5);
      }
      const { books } = reader;
      if (name === "block") {
        assert.ok((books.dropped as number) > 0);
        assert.deepEqual([books.skipped, books.displaced], [0, 0]);
      } else if (name === "sample") {
        assert.ok(books.skipped > 0);
      } else {
        assert.ok(books.displaced > 0);
        assert.ok(books.queued <= 100);
        // The buffer was read all the while.
        assert.equal(books.dropped, 0);
      }
      reader.consume(({ number }) => void seen.push(number));
      rising(seen);
      assert.equal(reader.books.delivered, seen.length);
      balanced(sender, reader.books, name);
    });
  }

  streamTest(`${kind}: a listener that samples when it is behind passes the others by`, async () => {
    using sender = makeSender();
    using reader = makeReader(sender);
    send(sender, 1800);
    let seen = 0;
    reader.listen(
      () => {
        seen++;
      },
      { backPressure: { sample: 9 } },
    );
    for (let i = 0; i < 1000 && reader.books.pendingBytes > 0; i++) await sleep(1);
    assert.equal(seen, 200);
    assert.equal(reader.books.skipped, 1600);
    send(sender, 10);
    for (let i = 0; i < 1000 && seen < 210; i++) await sleep(1);
    assert.equal(seen, 210, "all of them once it has caught up");
    balanced(sender, reader.books);
  });

  streamTest(`${kind}: close in the midst of a flood`, async () => {
    for (const way of ["listener", "loop", "queue"] as const) {
      using sender = makeSender();
      const reader = makeReader(sender);
      const seen: number[] = [];
      setTimeout(() => reader.close(), 10);
      const flood = (async () => {
        for (let i = 0; i < 30; i++) {
          send(sender, 300);
          await sleep(1);
        }
      })();
      if (way === "listener") {
        reader.listen(({ number }) => void seen.push(number));
      } else {
        const backPressure = way === "queue" ? { dropOldest: 50 } : "block";
        for await (const batch of reader.batches({ backPressure })) {
          seen.push(...batch.map(({ number }) => number));
          await sleep(4);
        }
      }
      await flood;
      const { books } = reader;
      rising(seen);
      assert.equal(books.delivered, seen.length);
      assert.equal(books.queued, 0);
      if (kind === "perf") {
        balanced(sender, books, way);
      } else {
        // What a ring's reader leaves is there for the next.
        using next = makeReader(sender);
        next.consume(({ number }) => void seen.push(number));
        rising(seen);
        balanced(sender, { ...books, abandoned: next.books.delivered }, way);
      }
    }
  });

  for (const inside of [false, true]) {
    streamTest(
      `${kind}: a lease gives nothing back before its commit, and all of it again without${inside ? ", also closed in its callback" : ""}`,
      () => {
        using sender = makeSender();
        using reader = makeReader(sender);
        const seen: number[] = [];
        const visit = ({ number }: { number: number }) => void seen.push(number);
        send(sender, 10);
        const first = reader.lease(visit, 4);
        assert.equal(first.count, 4);
        assert.throws(() => reader.consume(visit), /already has a lease/);
        assert.throws(() => reader.lease(visit), /already has a lease/);
        const before = reader.books.pendingBytes;
        first.commit();
        first.commit();
        assert.deepEqual(seen, [0, 1, 2, 3]);
        assert.equal(reader.books.pendingBytes, before);
        {
          using lease = reader.lease(visit);
          assert.equal(lease.count, 6);
        }
        assert.equal(reader.books.delivered, 4);
        assert.throws(() =>
          reader.lease(() => {
            throw new Error("mine");
          }),
        );
        seen.length = 0;
        reader.lease(visit).commit();
        assert.deepEqual(seen, [4, 5, 6, 7, 8, 9]);
        assert.equal(reader.books.delivered, 10);
        // Held records take room: what finds the buffer full meanwhile is lost, and counted.
        send(sender, 1000);
        const held = reader.lease(() => {});
        send(sender, 5000);
        assert.ok((reader.books.dropped as number) > 0);
        held.commit();
        reader.consume(() => {});
        balanced(sender, reader.books);
        send(sender, 7);
        if (inside) {
          reader.lease(() => reader.close());
        } else {
          reader.lease(() => {});
          reader.close();
        }
        if (kind === "perf") {
          balanced(sender, reader.books);
          assert.equal(reader.books.abandoned, 7);
        } else {
          using next = makeReader(sender);
          assert.equal(
            next.consume(() => {}),
            7,
          );
        }
      },
    );
  }

  streamTest(`${kind}: options that make no sense are refused at once`, () => {
    using sender = makeSender();
    using reader = makeReader(sender);
    assert.throws(() => reader.batches({ size: 0 }), TypeError);
    assert.throws(() => reader.batches({ backPressure: { dropOldest: 0 } }), TypeError);
    for (const sample of [0, 1.5, -1, Number.NaN]) {
      assert.throws(() => reader.batches({ backPressure: { sample } }), TypeError);
      assert.throws(() => reader.listen(() => {}, { backPressure: { sample } }), TypeError);
    }
    reader.listen(() => {});
  });

  for (const how of ["reader", "group", "columns"]) {
    streamTest(`${kind}: a consumer (${how}) that is stopped (SIGSTOP) for a while`, async () => {
      using sender = makeSender();
      const few = async () => {
        for (let i = 0; i < 5; i++) {
          send(sender, 100);
          await sleep(5);
        }
      };
      const { books, rises } = await stoppedConsumer([how, `${mapDetails(sender.maps.events).id}`, `${SMALL}`], {
        before: few,
        meanwhile() {
          const before = countsOf(sender).refused;
          send(sender, 10_000);
          assert.ok(countsOf(sender).refused > before, "nobody reads");
        },
        after: few,
      });
      assert.ok(rises);
      assert.ok(books.delivered >= 1000);
      balanced(sender, { ...books, dropped: countsOf(sender).refused });
    });
  }
}

kernelTest(
  "perf: another process floods on another CPU while the reader is closed, again and again",
  { kernel: "5.10" },
  async () => {
    using sender = perfSender();
    const { id } = programDetails(sender.programs.send);
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL("../children/flooder.js", import.meta.url)), `${id}`],
      {
        env: environment(),
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    const lines = linesOf(child);
    try {
      assert.equal(await lines.next(), "ready");
      let told = 0;
      for (let round = 0; round < pace(20, 5); round++) {
        const reader = PerfBufferReader.of(sender.maps.events, Sent, { bytesPerCpu: SMALL });
        for (let i = 0; i < 5; i++) {
          reader.consume(() => {});
          await sleep(1);
        }
        reader.close();
        const { delivered, abandoned } = reader.books;
        told += delivered + abandoned;
      }
      child.stdin?.end("end\n");
      assert.equal(await lines.next(), "ended");
      const { attempted, refused } = countsOf(sender);
      assert.ok(told > 0);
      // Every record that the kernel took is in the books of one reader.
      assert.equal(told, attempted - refused);
    } finally {
      child.kill("SIGKILL");
      await (child.exitCode ?? child.signalCode ?? once(child, "exit"));
    }
  },
);
