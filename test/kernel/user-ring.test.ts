// Records that go the other way: written here, taken by a program.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { createMap, loadObject, struct, UserRingBuffer, u32 } from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const command = struct({ a: u32, b: u32 });
const packet = { data: new Uint8Array(64) };

kernelTest("records written to a ring are taken by a program, round after round", { map: "user_ringbuf" }, () => {
  using object = loadObject(fixture("userring.el"));
  const { commands } = object.maps;
  assert.ok(commands !== undefined);
  using ring = new UserRingBuffer(commands, command);
  const drain = () => object.programs["drain_all"]?.testRun(packet).retval;
  let sum = 0n;
  let records = 0n;
  // Many times around the ring, with records that end at its end.
  for (let round = 0; round < 200; round++) {
    let count = 0;
    for (; ring.write({ a: round, b: count + 1 }); count++) sum += BigInt(round * (count + 1));
    assert.equal(count, 256);
    records += BigInt(count);
    assert.equal(ring.pendingBytes, 4096);
    assert.equal(drain(), count);
    assert.equal(ring.pendingBytes, 0);
  }
  assert.equal(object.variables["sum"]?.get(), sum);
  assert.equal(object.variables["records"]?.get(), records);
  assert.deepEqual(ring.books, { written: Number(records), refused: 200, pendingBytes: 0 });
  // A program may stop in the middle; the rest stays.
  object.variables["stop_after"]?.set(records + 2n);
  for (let i = 0; i < 5; i++) ring.write({ a: 1, b: 1 });
  drain();
  assert.equal(ring.pendingBytes, 3 * 16);
  assert.throws(() => ring.write({ a: -1, b: 0 }), { code: "SKEP_CODEC" });
  assert.equal(ring.pendingBytes, 3 * 16);
});

kernelTest("a ring has one writer, and takes bytes of any length", { map: "user_ringbuf" }, () => {
  using map = createMap({ type: "user_ringbuf", maxEntries: 4096 }, "bytes");
  using ring = new UserRingBuffer(map);
  assert.throws(() => new UserRingBuffer(map), /has a writer already/);
  assert.equal(ring.write(new Uint8Array(13).fill(7)), true);
  assert.equal(ring.pendingBytes, 24);
  assert.throws(() => ring.write(new Uint8Array(0)), RangeError);
  assert.throws(() => ring.write(new Uint8Array(4090)), /never fits/);
  assert.equal(ring.write(new Uint8Array(4070)), false);
  ring.close();
  assert.throws(() => ring.write(new Uint8Array(1)), { code: "SKEP_CLOSED" });
  // The next writer goes on where the last one stopped.
  using again = new UserRingBuffer(map);
  assert.equal(again.pendingBytes, 24);
  using array = createMap({ type: "array", value: u32, maxEntries: 1 }, "array");
  assert.throws(() => new UserRingBuffer(array), /is of type array, and only a user_ringbuf/);
});

kernelTest(
  "send waits for room, in order; an abort or a close ends the waiting, and nothing is written",
  { map: "user_ringbuf" },
  async () => {
    using object = loadObject(fixture("userring.el"));
    const { commands } = object.maps;
    assert.ok(commands !== undefined);
    const ring = new UserRingBuffer(commands, command);
    const drain = () => object.programs["drain_all"]?.testRun(packet).retval;
    await ring.send({ a: 1, b: 1 });
    for (let i = 1; i < 256; i++) assert.equal(ring.write({ a: 1, b: 1 }), true);
    const done: string[] = [];
    const note = (name: string) =>
      [() => void done.push(name), (error: Error) => void done.push(`${name}: ${error.name}`)] as const;
    const controller = new AbortController();
    const first = ring.send({ a: 10, b: 1 }).then(...note("first"));
    const second = ring.send({ a: 20, b: 1 }, { signal: controller.signal }).then(...note("second"));
    const third = ring.send({ a: 30, b: 1 }).then(...note("third"));
    await sleep(20);
    assert.deepEqual(done, []);
    controller.abort();
    assert.equal(drain(), 256);
    await Promise.all([first, second, third]);
    assert.deepEqual(done, ["first", "second: AbortError", "third"]);
    assert.equal(drain(), 2);
    assert.equal(object.variables["sum"]?.get(), 256n + 10n + 30n);
    // Waiting is no refusal.
    assert.deepEqual(ring.books, { written: 258, refused: 0, pendingBytes: 0 });
    await assert.rejects(ring.send({ a: -1, b: 0 }), { code: "SKEP_CODEC" });
    await assert.rejects(ring.send({ a: 1, b: 0 }, { signal: AbortSignal.abort() }), { name: "AbortError" });
    while (ring.write({ a: 1, b: 1 }));
    const late = ring.send({ a: 1, b: 1 });
    const waiting = new AbortController();
    const aborted = ring.send({ a: 1, b: 1 }, { signal: waiting.signal });
    setTimeout(() => ring.close(), 20);
    await assert.rejects(late, { code: "SKEP_CLOSED" });
    await assert.rejects(aborted, { code: "SKEP_CLOSED" });
    await assert.rejects(ring.send({ a: 1, b: 1 }), { code: "SKEP_CLOSED" });
  },
);
