import { expect, test } from "vitest";
import { TraceParser } from "./trace-parser.ts";

const line = (task: string, text: string) =>
  `${task.padStart(16)}-90      [001] d..2.    20.283883: bpf_trace_printk: ${text}\n`;

test("a line has its task, thread, CPU, time and text", () => {
  expect(new TraceParser().parse(line("node", "hello 42"))).toEqual([
    { task: "node", tid: 90, cpu: 1, time: 20.283883, text: "hello 42" },
  ]);
});

test("names may have anything in them, and so may texts", () => {
  const task = "a-1 [000] .... ";
  const text = "x-7 [003] d... 1.5: bpf_trace_printk: y";
  expect(new TraceParser().parse(line(task, text))).toMatchObject([{ task, tid: 90, text }]);
});

test("a line's own end is not in its text; further lines are", () => {
  const parser = new TraceParser();
  expect(
    parser.parse(line("node", "one\n") + line("node", "two\nthree") + line("node", "")).map(({ text }) => text),
  ).toEqual(["one", "two\nthree", ""]);
});

test("a process id beside the thread's, and forgotten names", () => {
  const read =
    "           <...>-123456  (-------) [000] d..1.  1234.000001: bpf_trace_printk: a\n            bash-12     (     11) [000] d..1.  1234.000002: bpf_trace_printk: b\n";
  expect(new TraceParser().parse(read)).toMatchObject([
    { task: "<...>", tid: 123456, text: "a" },
    { task: "bash", tid: 12, text: "b" },
  ]);
});

test("what was lost is counted, and said to be unknown where the kernel gives no number", () => {
  const parser = new TraceParser();
  expect(parser.parse(`CPU:1 [LOST 12 EVENTS]\n${line("node", "a")}CPU:0 [LOST 3 EVENTS]\n`)).toHaveLength(1);
  expect(parser.counts).toEqual({ others: 0, lost: 15, lostUnknown: false });
  parser.parse("CPU:0 [LOST EVENTS]\n");
  expect(parser.counts.lostUnknown).toBe(true);
});

test("events of others are counted and not shown, with all their lines", () => {
  const parser = new TraceParser();
  const other =
    "            bash-12      [000] d..1.  1234.000001: sched_switch: prev_comm=bash\n => trace\n => back\n";
  expect(parser.parse(other + line("node", "mine") + other).map(({ text }) => text)).toEqual(["mine"]);
  expect(parser.counts.others).toBe(2);
});

test("an event that a read cuts in two is whole", () => {
  const parser = new TraceParser();
  const read = line("node", "hello");
  expect(parser.parse(read.slice(0, 30))).toEqual([]);
  expect(parser.parse(read.slice(30))).toHaveLength(1);
});
