// What a reader that waits means for its process, and what may not happen to a ring: two readers, records under way,
// positions beyond 32 bits.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  Assembler,
  type LoadedObject,
  loadObject,
  type ObjectSpec,
  PerfBufferReader,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  r6,
  u64n,
} from "../../src/sdk/index.ts";
import { run } from "../support/cli.ts";
import { hostTest, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { perfSender, ringSender, send } from "../support/senders.ts";
import { streamTest } from "../support/stream-test.ts";

const needs = { kernel: "5.8" } as const;
const child = fileURLToPath(new URL("../children/stream-waits.js", import.meta.url));
const waits = async (...args: string[]) => {
  const { code, stdout, stderr } = await run([process.execPath, child, ...args]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as { seen: number; errors: string[]; kept: boolean };
};

for (const kind of ["ring", "perf"] as const) {
  for (const latency of ["coalesced", "low"] as const) {
    kernelTest(
      `${kind}: a callback that throws while listening (${latency}): the process hears of it, the rest still comes`,
      needs,
      async () => {
        const { seen, errors } = await waits(kind, "throws", latency);
        assert.deepEqual({ seen, errors }, { seen: 5, errors: ["at event 1", "at event 2"] });
      },
    );

    hostTest(`${kind}: unref lets the process end, ref and listening keep it (${latency})`, needs, async () => {
      assert.deepEqual(await waits(kind, "unref", latency), { seen: 0, errors: [], kept: false });
      for (const what of ["waits", "ref"])
        assert.deepEqual(await waits(kind, what, latency), { seen: 5, errors: [], kept: true }, what);
    });
  }
}

for (const [kind, make] of [
  ["ring", () => ringSender(4096)],
  ["perf", () => perfSender()],
] as const) {
  streamTest(`${kind}: a loop hears of a record that comes right after it has looked`, async () => {
    using sender = make();
    using reader =
      kind === "ring" ? RingBufferReader.raw(sender.maps.events) : PerfBufferReader.raw(sender.maps.events);
    const controller = new AbortController();
    const patience = setTimeout(() => controller.abort(new Error("it never came")), pace(5000, 60_000));
    let seen = 0;
    // When the first batch is asked for, the event loop does not know of the descriptor; the others are asked for as it tells.
    const later = () => queueMicrotask(() => setImmediate(() => send(sender, 1)));
    await sleep(1);
    later();
    for await (const batch of reader.batches({ signal: controller.signal })) {
      seen += batch.length;
      if (seen === 20) break;
      later();
    }
    clearTimeout(patience);
    assert.equal(seen, 20);
  });
}

/** `small` sends a record with its number; `large` discards one of `size` bytes, to move the positions on. */
function spec(ringBytes: number, sizes: Readonly<Record<"large" | "middle", number>>) {
  const small = new Assembler();
  small.loadMapValue(r6, "made", 0).loadMap(r1, "events").mov(r2, 8).mov(r3, 0).call("ringbuf_reserve");
  small.jeq(r0, 0, "full").load("u64", r1, r6, 0).store("u64", r0, 0, r1).add(r1, 1).store("u64", r6, 0, r1);
  small.mov(r1, r0).mov(r2, 0).call("ringbuf_submit").label("full").mov(r0, 0).exit();
  const discard = (size: number) => {
    const a = new Assembler();
    a.loadMap(r1, "events").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").jeq(r0, 0, "full");
    a.mov(r1, r0).mov(r2, 0).call("ringbuf_discard").label("full").mov(r0, 0).exit();
    return a;
  };
  const program = (a: Assembler) =>
    ({ type: "raw_tracepoint", instructions: a.instructions(), license: "Dual MIT/GPL" }) as const;
  return {
    maps: {
      events: { type: "ringbuf", maxEntries: ringBytes },
      made: { type: "array", value: u64n, maxEntries: 1 },
    },
    programs: {
      small: program(small),
      large: program(discard(sizes.large)),
      middle: program(discard(sizes.middle)),
    },
  } as const satisfies ObjectSpec;
}

type Sender = LoadedObject<ReturnType<typeof spec>>;
const fire = (object: Sender, name: "small" | "large" | "middle", count = 1) => {
  for (let i = 0; i < count; i++) object.programs[name].testRun({ context: new Uint8Array(8) });
};
const numbers = (count: number) => [...Array(count).keys()];

kernelTest("positions go past 2^31 and 2^32 bytes: nothing is lost, doubled or out of order", needs, async () => {
  const ring = 16 << 20;
  const large = 8 << 20;
  // With the header of 8 bytes a large one takes 8 MiB; the middle one leaves 240 bytes before the round number.
  using object = loadObject(spec(ring, { large: large - 8, middle: large - 8 - 240 }));
  const seen: number[] = [];
  let expected = 0;
  let position = 0;
  using reader = RingBufferReader.of(object.maps.events, u64n);
  const consume = () => reader.consume((number) => void seen.push(number));
  for (const target of [2 ** 31, 2 ** 32, 2 ** 32 + 2 ** 31]) {
    for (; position + large < target; position += large) {
      fire(object, "large");
      consume();
    }
    fire(object, "middle");
    consume();
    // 20 records of 16 bytes, of which one begins at the round number.
    position += large - 240;
    assert.ok(target - position > 0 && target - position < 320 && (target - position) % 16 === 0);
    fire(object, "small", 20);
    position += 320;
    expected += 20;
    assert.equal(reader.books.pendingBytes, 320);
    consume();
    assert.equal(reader.books.pendingBytes, 0);
    assert.deepEqual(seen, numbers(expected));
  }
  assert.ok(reader.books.discarded > 700);
  reader.close();
  // Another reader reads the kernel's 64-bit positions anew; while it listens they cross, too.
  using next = RingBufferReader.of(object.maps.events, u64n).listen((number) => void seen.push(number));
  fire(object, "small", 10);
  expected += 10;
  for (let i = 0; i < 500 && seen.length < expected; i++) await sleep(2);
  assert.deepEqual(seen, numbers(expected));
  assert.equal(next.books.pendingBytes, 0);
});

kernelTest("a reader that cannot be made leaves nothing mapped, and the map without a reader", needs, () => {
  using object = loadObject(spec(65_536, { large: 1024, middle: 1024 }));
  const mapped = () => readFileSync("/proc/self/maps", "utf8").split("bpf-map").length;
  const before = mapped();
  // No layout that our functions make.
  const broken = { kind: "struct", size: 8, align: 8 } as unknown as typeof u64n;
  assert.throws(() => RingBufferReader.of(object.maps.events, broken), TypeError);
  assert.equal(mapped(), before);
  using _ = RingBufferReader.of(object.maps.events, u64n);
  assert.ok(mapped() > before);
});

kernelTest("a ring has one reader at a time: a second one is refused, and may come after it", needs, () => {
  using object = loadObject(spec(65_536, { large: 1024, middle: 1024 }));
  const first = RingBufferReader.of(object.maps.events, u64n);
  assert.throws(() => RingBufferReader.raw(object.maps.events), /"events" has a reader already.*[Cc]lose/s);
  fire(object, "small", 3);
  const seen: number[] = [];
  first.consume((number) => void seen.push(number));
  first.close();
  using second = RingBufferReader.of(object.maps.events, u64n);
  fire(object, "small", 2);
  second.consume((number) => void seen.push(number));
  assert.deepEqual(seen, numbers(5));
});
