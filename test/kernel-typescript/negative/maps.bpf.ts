// What cannot be done with maps, rings and aggregations.
import {
  arrayMap,
  avg,
  comm,
  counter,
  global,
  hash,
  histogram,
  i64,
  ktime,
  linear,
  min,
  param,
  pid,
  ringbuf,
  stackTraces,
  str,
  struct,
  sum,
  task,
  taskStorage,
  tracepoint,
  u8,
  u32,
  u64,
} from "skep/kernel";

const Pair = struct({ at: u64, by: u32 });
const pairs = hash(u32, Pair);
const times = hash(u32, u64);
const slots = arrayMap(u64, 16);
const events = ringbuf(Pair);
const stacks = stackTraces(64);
const state = taskStorage(Pair);
const opens = counter(str(16));
const all = counter();
const total = sum(u32);
const mean = avg();
const least = min(u32);
const sizes = histogram(u32, { bits: 2 });
const steps = linear({ min: 0, max: 100, step: 10 });
const limit = param(u32, 5);
const seen = global(u64, 0);

// @ts-expect-error TS2345: a key is a type, not a number
hash(4, u64);
// @ts-expect-error TS2554: a map has a value
hash(u32);
// @ts-expect-error TS2769: no such option
hash(u32, u64, { maximum: 5 });
// @ts-expect-error TS2554: an array has a length
arrayMap(u64);
// @ts-expect-error TS2741: a linear histogram has steps
linear(u32, { min: 0, max: 100 });
// @ts-expect-error TS2322: bits are 0 to 5
histogram(u32, { bits: 6 });
// @ts-expect-error TS2554: a parameter has a first value
param(u32);
// @ts-expect-error TS2345: a parameter's first value is of its type
param(u32, "1");
// @ts-expect-error TS2322: a type is no value of a field
struct({ a: 4 });

export const run = tracepoint("syscalls:sys_enter_openat", () => {
  // @ts-expect-error TS2532: the value may not be there
  pairs.get(pid()).at;
  // @ts-expect-error TS2532: the value may not be there
  times.ref(pid()).add(1);
  // @ts-expect-error TS2345: a u64 is no u32
  times.get(ktime());
  // @ts-expect-error TS2345: a text is no u32
  times.get(comm());
  // @ts-expect-error TS2741: a struct has all its fields
  pairs.set(pid(), { at: 1 });
  // @ts-expect-error TS2353: a struct has no other fields
  pairs.set(pid(), { at: 1, by: 2, of: 3 });
  // @ts-expect-error TS2345: no such mode
  times.set(pid(), 1, "always");
  // @ts-expect-error TS2339: a map has no size
  times.size;
  // @ts-expect-error TS2339: arrays keep their entries
  slots.delete(3);
  // @ts-expect-error TS2741: a record has all its fields
  events.emit({ at: 1 });
  // @ts-expect-error TS2532: a record may not be there
  events.reserve().at = 1;
  // @ts-expect-error TS2339: stacks are not looked up here
  stacks.get(1);
  // @ts-expect-error TS2345: storage is a task's
  state.get(pid());
  // @ts-expect-error TS2532: storage may not be there
  state.get(task()).at = 1;
  // @ts-expect-error TS2554: a counter with a key wants it
  opens.inc();
  // @ts-expect-error TS2345: a counter's key is of its type
  opens.inc(pid());
  // @ts-expect-error TS2554: a counter without a key takes none
  all.inc(comm());
  // @ts-expect-error TS2339: a sum is added to
  total.record(pid(), 1);
  // @ts-expect-error TS2554: a sum with a key wants both
  total.add(1);
  // @ts-expect-error TS2554: a mean without a key takes the value alone
  mean.record(pid(), 1);
  // @ts-expect-error TS2345: the value is a number
  least.record(pid(), comm());
  // @ts-expect-error TS2554: a histogram with a key wants both
  sizes.record(1);
  // @ts-expect-error TS2554: a histogram without a key takes the value alone
  steps.record(pid(), 1);
  // @ts-expect-error TS2588: a parameter is not assigned to
  limit = 6;
  // @ts-expect-error TS2588: a variable is not assigned to: its value is
  seen = 1;
  // @ts-expect-error TS2345: a signed number is no u32
  times.set(i64(1), 1);
  const index: u8 = u8(ktime());
  slots.set(index, 1);
});
