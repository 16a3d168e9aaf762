// What programs print. tracefs is the whole machine's: these run in a virtual machine.
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Assembler,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r10,
  type TraceLine,
  TracePipe,
  u64n,
} from "../../src/sdk/index.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";
import { onOneCpu } from "../support/senders.ts";
import { stoppedConsumer } from "../support/stopped-consumer.ts";

const INSTANCES = "/sys/kernel/tracing/instances";
const needs = {
  kernel: "5.10",
  unless: machine.virtual ? undefined : "reads what every program of the machine prints: in a virtual machine only",
} as const;
const traceTest = (name: string, body: () => void | Promise<void>) => kernelTest(name, needs, onOneCpu(body));

/** Prints `text` with how often it did so before; `%d` in the text is that number. */
function spec(text: string) {
  const bytes = Buffer.alloc(Math.ceil((text.length + 1) / 8) * 8);
  bytes.write(text);
  const a = new Assembler().loadMapValue(r6, "printed", 0).load("u64", r7, r6, 0);
  for (let at = 0; at < bytes.length; at += 4) a.store("u32", r10, at - bytes.length, bytes.readInt32LE(at));
  a.mov(r1, r10)
    .add(r1, -bytes.length)
    .mov(r2, text.length + 1)
    .mov(r3, r7)
    .call("trace_printk");
  a.add(r7, 1).store("u64", r6, 0, r7).mov(r0, 0).exit();
  return {
    maps: { printed: { type: "array", value: u64n, maxEntries: 1 } },
    programs: { print: { type: "socket_filter", instructions: a.instructions(), license: "GPL" } },
  } as const satisfies ObjectSpec;
}

const packet = new Uint8Array(64);

for (const shared of [false, true]) {
  const which = shared ? "the shared pipe" : "an instance";
  traceTest(`lines of ${which} have their task, thread, CPU, time and text`, () => {
    using object = loadObject(spec("number %d"));
    using pipe = new TracePipe({ shared });
    assert.equal(pipe.own, !shared);
    // What others, and tests before, have printed to it.
    if (shared) while (pipe.consume(() => {}) > 0);
    const before = pipe.books.delivered;
    for (let i = 0; i < 5; i++) object.programs.print.testRun({ data: packet });
    const seen: TraceLine[] = [];
    assert.equal(
      pipe.consume((line) => void seen.push(line), 2),
      2,
    );
    pipe.consume((line) => void seen.push(line));
    assert.deepEqual(
      seen.map(({ text }) => text),
      [0, 1, 2, 3, 4].map((number) => `number ${number}`),
    );
    for (const { tid, cpu, time } of seen) assert.deepEqual([tid, cpu, time > 0], [process.pid, 0, true]);
    assert.equal(pipe.books.delivered - before, 5);
    if (!shared) assert.deepEqual([pipe.books.dropped, pipe.books.others], [0, 0]);
    assert.throws(() => pipe.lease(() => {}), /no lease/);
  });
}

traceTest("listening: each line comes, several lines of one print as one", async () => {
  using object = loadObject(spec("one %d\ntwo\n"));
  using pipe = new TracePipe();
  const seen: string[] = [];
  const controller = new AbortController();
  pipe.listen(({ text }) => void seen.push(text), { signal: controller.signal });
  for (let i = 0; i < 30; i++) {
    object.programs.print.testRun({ data: packet });
    if (i % 10 === 0) await sleep(5);
  }
  for (let i = 0; i < 1000 && seen.length < 30; i++) await sleep(2);
  assert.deepEqual(
    seen,
    [...Array(30).keys()].map((number) => `one ${number}\ntwo`),
  );
  controller.abort();
  object.programs.print.testRun({ data: packet });
  await sleep(10);
  assert.equal(seen.length, 30);
  pipe.consume(({ text }) => void seen.push(text));
  assert.equal(seen.at(-1), "one 30\ntwo");
});

traceTest("a flood: attempted = delivered + what the kernel says was lost; the newest is there", () => {
  using object = loadObject(spec("number %d"));
  using pipe = new TracePipe({ kibPerCpu: 64 });
  const rounds = 3;
  const each = 5000;
  let last = "";
  for (let round = 0; round < rounds; round++) {
    object.programs.print.testRun({ data: packet, repeat: each });
    pipe.consume(({ text }) => {
      last = text;
    });
  }
  // More than it reads at a turn may be there still.
  while (
    pipe.consume(({ text }) => {
      last = text;
    }) > 0
  );
  assert.equal(last, `number ${rounds * each - 1}`);
  const { delivered, dropped } = pipe.books;
  assert.ok((dropped as number) > 0);
  assert.equal(delivered + (dropped as number), rounds * each);
});

traceTest("a slow consumer, by each policy, and an abort in its midst: every line is in the books", async () => {
  for (const backPressure of ["block", { dropOldest: 20 }, { sample: 5 }] as const) {
    using object = loadObject(spec("number %d"));
    using pipe = new TracePipe({ kibPerCpu: 64 });
    const controller = new AbortController();
    const print = (repeat: number) => object.programs.print.testRun({ data: packet, repeat });
    let batches = 0;
    print(10);
    await assert.rejects(
      async () => {
        for await (const _ of pipe.batches({ backPressure, size: 50, signal: controller.signal })) {
          if (++batches === 8) controller.abort();
          print(1500);
          await sleep(5);
        }
      },
      { name: "AbortError" },
    );
    while (pipe.consume(() => {}) > 0);
    const { delivered, dropped, displaced, skipped, undecoded, queued } = pipe.books;
    assert.equal(
      delivered + (dropped as number) + displaced + skipped + undecoded + queued,
      object.maps.printed.get(0),
      JSON.stringify(pipe.books),
    );
    assert.ok((dropped as number) + displaced + skipped > 0);
  }
});

traceTest("a consumer that is stopped (SIGSTOP) for a while: what the kernel wrote over is counted", async () => {
  using object = loadObject(spec("number %d"));
  const print = (repeat: number) => void object.programs.print.testRun({ data: packet, repeat });
  const { books, rises } = await stoppedConsumer(["trace"], {
    before: () => print(100),
    meanwhile: () => print(10_000),
    after: () => print(100),
  });
  assert.ok(rises);
  assert.ok((books.dropped as number) > 0);
  assert.equal(books.delivered + (books.dropped as number), object.maps.printed.get(0));
});

traceTest("an instance is gone when its reader is closed, and each reader has one", () => {
  const before = readdirSync(INSTANCES);
  using object = loadObject(spec("hello %d"));
  using first = new TracePipe();
  using second = new TracePipe();
  assert.equal(readdirSync(INSTANCES).length, before.length + 2);
  object.programs.print.testRun({ data: packet });
  for (const pipe of [first, second])
    assert.equal(
      pipe.consume(({ text }) => assert.equal(text, "hello 0")),
      1,
    );
  object.programs.print.testRun({ data: packet, repeat: 3 });
  first.consume(() => {}, 1);
  first.close();
  assert.equal(first.books.abandoned, 2);
  second.close();
  assert.ok(existsSync(INSTANCES));
  assert.deepEqual(readdirSync(INSTANCES), before);
});
