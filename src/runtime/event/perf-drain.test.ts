import { expect, test } from "vitest";
import { memoryOf } from "../../object/codec/index.ts";
import { newTally } from "./event-source.ts";
import { makePerfDrain, type PerfBuffer, walkRecords } from "./perf-drain.ts";
import { RecordView } from "./record-view.ts";

const SIZE = 4096;
const BASE = 4096;
const SAMPLE = 9;
const LOST = 2;
const OTHER = 5;

/** A buffer as the kernel writes it. */
class Buffer {
  readonly memory = memoryOf(new ArrayBuffer(BASE + SIZE + 65_536));
  readonly tally = newTally();
  readonly state: PerfBuffer = { cpu: 3, base: BASE, mask: SIZE - 1, position: 0 };
  head = 0;

  start(position: number): void {
    this.state.position = position;
    this.head = position;
  }

  word(at: number, value: number): void {
    this.memory.u32[(BASE + ((this.head + at) & (SIZE - 1))) >>> 2] = value;
  }

  /** A sample of `words` u32s of data, of which the first is `value`, and all others its place; 4 + 4 × words is in eights. */
  sample(value: number, words: number): void {
    const total = 12 + 4 * words;
    this.word(0, SAMPLE);
    this.word(4, total << 16);
    this.word(8, 4 * words);
    this.word(12, value);
    for (let i = 1; i < words; i++) this.word(12 + 4 * i, i);
    this.head = (this.head + total) | 0;
  }

  lost(count: number): void {
    this.word(0, LOST);
    this.word(4, 24 << 16);
    this.word(16, count >>> 0);
    this.word(20, Math.floor(count / 2 ** 32));
    this.head = (this.head + 24) | 0;
  }

  other(): void {
    this.word(0, OTHER);
    this.word(4, 32 << 16);
    this.head = (this.head + 32) | 0;
  }

  drain<T>(decode: (record: RecordView, cpu: number) => T, visit: (event: T) => void, limit = 1e9): void {
    const source = { lease: new RecordView(this.memory), decode };
    makePerfDrain({ memory: this.memory, scratch: BASE + SIZE }, source)(
      this.tally,
      this.state,
      visit,
      this.head,
      limit,
    );
  }
}

test("records are whole wherever the buffer's end cuts them, also when positions go past 2^31", () => {
  for (const begin of [0, 2 ** 31 - 2048, -2048]) {
    const buffer = new Buffer();
    buffer.start(begin | 0);
    let sent = 0;
    let seen = 0;
    for (let round = 0; round < 200; round++) {
      for (const words of [1, 3, 25, 101]) buffer.sample(sent++, words);
      buffer.drain(
        (record, cpu) => {
          expect(cpu).toBe(3);
          const words = record.length / 4;
          for (let i = 1; i < words; i++) expect(record.u32(4 * i)).toBe(i);
          return record.u32(0);
        },
        (value) => expect(value).toBe(seen++),
      );
    }
    expect(seen).toBe(800);
    expect(buffer.tally.delivered).toBe(800);
  }
});

test("what the kernel says was lost is summed, other records are passed by", () => {
  const buffer = new Buffer();
  buffer.sample(1, 3);
  buffer.lost(7);
  buffer.other();
  buffer.lost(2 ** 33 + 5);
  buffer.sample(2, 3);
  const seen: number[] = [];
  expect(walkRecords(buffer.memory, buffer.state, 0, buffer.head, 100)).toEqual({
    end: buffer.head,
    samples: 2,
    lost: 2 ** 33 + 12,
  });
  buffer.drain(
    (record) => record.u32(0),
    (value) => seen.push(value),
  );
  expect(seen).toEqual([1, 2]);
  expect(buffer.tally).toMatchObject({ delivered: 2, lost: 2 ** 33 + 12, undecoded: 0 });
});

test("limits, visitors that throw, decoders that throw: each record is in one book and comes once", () => {
  const buffer = new Buffer();
  for (let i = 0; i < 10; i++) buffer.sample(i, 3);
  const seen: number[] = [];
  const value = (record: RecordView) => record.u32(0);
  buffer.drain(value, (event) => seen.push(event), 3);
  expect(() =>
    buffer.drain(value, (event) => {
      seen.push(event);
      throw new Error("mine");
    }),
  ).toThrow("mine");
  expect(() =>
    buffer.drain(
      () => {
        throw new Error("not mine");
      },
      () => {},
    ),
  ).toThrow("not mine");
  buffer.drain(value, (event) => {
    seen.push(event);
    if (event === 7) buffer.tally.stopped = true;
  });
  expect(seen).toEqual([0, 1, 2, 3, 5, 6, 7]);
  expect(buffer.tally).toMatchObject({ delivered: 7, undecoded: 1 });
});

test("walking stops at a record that is not whole, and at nothing", () => {
  const buffer = new Buffer();
  buffer.sample(1, 3);
  const whole = buffer.head;
  buffer.sample(2, 25);
  expect(walkRecords(buffer.memory, buffer.state, 0, buffer.head - 8, 100)).toEqual({
    end: whole,
    samples: 1,
    lost: 0,
  });
  expect(walkRecords(buffer.memory, buffer.state, 0, SIZE, 100)).toEqual({ end: buffer.head, samples: 2, lost: 0 });
  expect(walkRecords(buffer.memory, buffer.state, 0, SIZE, 1)).toEqual({ end: whole, samples: 1, lost: 0 });
});
