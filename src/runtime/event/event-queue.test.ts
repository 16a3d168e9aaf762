import { expect, test } from "vitest";
import { EventQueue } from "./event-queue.ts";

test("keeps the newest in order and counts what it pushed out, whatever is taken in between", () => {
  const queue = new EventQueue<number>();
  queue.capacity = 5;
  let pushed = 0;
  let taken = 0;
  let expected = 0;
  for (let round = 0; round < 200; round++) {
    for (let i = 0; i < (round * 7) % 13; i++) queue.push(pushed++);
    expect(queue.length).toBeLessThanOrEqual(5);
    const events = queue.take(round % 4);
    for (const event of events) {
      expect(event).toBeGreaterThanOrEqual(expected);
      expected = event + 1;
    }
    taken += events.length;
    expect(taken + queue.displaced + queue.length).toBe(pushed);
  }
  const rest = queue.take();
  expect(rest.at(-1)).toBe(pushed - 1);
  expect(rest).toEqual([...rest].sort((a, b) => a - b));
  expect(queue.length).toBe(0);
});

test("without a capacity nothing is pushed out", () => {
  const queue = new EventQueue<number>();
  for (let i = 0; i < 1000; i++) queue.push(i);
  expect(queue.take(3)).toEqual([0, 1, 2]);
  expect(queue.take()).toHaveLength(997);
  expect(queue.displaced).toBe(0);
});
