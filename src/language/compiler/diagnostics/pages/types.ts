import type { Pages } from "./page.ts";

/** EB2xxx: types, and what is known where. */
export const TYPES: Pages = {
  EB2101: {
    title: "a value that may be undefined",
    why: "What a map's `get` gives is `undefined` when the key is not in the map, and the kernel refuses a program that uses the address of an entry before it was compared with null. `tsc` says the same as TS18048 or TS2532.",
    write:
      "Test it first: `if (x === undefined) return;`, or give a value for that case: `x ?? 0`. `x?.field` is undefined where x is.",
    bad: `import { hash, histogram, ktime, tid, tracepoint, u32, u64 } from "skep/kernel";

const started = hash(u32, u64);
export const took = histogram();
export const enter = tracepoint("syscalls:sys_enter_openat", () => {
  started.set(tid(), ktime());
});
export const exit = tracepoint("syscalls:sys_exit_openat", () => {
  const t0 = started.get(tid());
  took.record(ktime() - t0);
});
`,
    good: `import { hash, histogram, ktime, tid, tracepoint, u32, u64 } from "skep/kernel";

const started = hash(u32, u64);
export const took = histogram();
export const enter = tracepoint("syscalls:sys_enter_openat", () => {
  started.set(tid(), ktime());
});
export const exit = tracepoint("syscalls:sys_exit_openat", () => {
  const t0 = started.get(tid());
  if (t0 === undefined) return;
  took.record(ktime() - t0);
  started.delete(tid());
});
`,
  },
  EB2104: {
    title: "absent and 0 would be the same",
    why: "`if (x)` is false both when x is undefined and when it is 0, and of a number that a map holds these are different things: the key is not there, or it is there with 0. TypeScript allows it; here it is most often a mistake.",
    write: "Say which is meant: `if (x !== undefined)` for being there, `if (x !== undefined && x !== 0)` for both.",
    bad: `import { counter, hash, pid, tracepoint, u32, u64 } from "skep/kernel";

const wanted = hash(u32, u64);
export const hits = counter(u32);
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  const mark = wanted.get(pid());
  if (mark) hits.inc(pid());
});
`,
    good: `import { counter, hash, pid, tracepoint, u32, u64 } from "skep/kernel";

const wanted = hash(u32, u64);
export const hits = counter(u32);
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  const mark = wanted.get(pid());
  if (mark !== undefined) hits.inc(pid());
});
`,
  },
  EB2201: {
    title: "a division by zero that is written out",
    why: "In the eBPF machine x / 0 is 0 and x % 0 is x: nothing fails, and the result is seldom what was meant.",
    write: "Divide by something else. A divisor that may be 0 at run time is allowed and gives these results.",
    bad: `import { ktime, sum, tracepoint } from "skep/kernel";

export const total = sum();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  total.add(ktime() / 0);
});
`,
    good: `import { ktime, sum, tracepoint } from "skep/kernel";

export const total = sum();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  total.add(ktime() / 1000);
});
`,
  },
  EB2203: {
    title: "a signed and an unsigned number in one operation",
    why: "Division, remainder, right shift and the order comparisons are done in one way for signed and in another for unsigned numbers: -1 compared as unsigned is the greatest number there is. Neither way is right for a mixture of both.",
    write:
      "Convert one side: `u64(ret)` after testing that it is not negative, or `i64(size)`. Literals take the other side's sign by themselves.",
    bad: `import { counter, pid, tracepoint, u32, u64 } from "skep/kernel";

export const large = counter(u32);
export const onRead = tracepoint("syscalls:sys_exit_read", (ctx) => {
  const limit: u64 = u64(4096);
  if (ctx.ret > limit) large.inc(pid());
});
`,
    good: `import { counter, i64, pid, tracepoint, u32, u64 } from "skep/kernel";

export const large = counter(u32);
export const onRead = tracepoint("syscalls:sys_exit_read", (ctx) => {
  const limit: u64 = u64(4096);
  if (ctx.ret > i64(limit)) large.inc(pid());
});
`,
  },
  EB2205: {
    title: "a number that may not fit",
    why: "Integers are computed in 64 bits; a field, a key or a variable of 32 bits takes the lower half only. Cutting off the rest in silence loses data, so it has to be proven that nothing is lost, or said that it may be.",
    write:
      "`u32(x)` cuts off; `x & 0xff`, `x % 100` or a test (`if (x > 255) return;`) prove that it fits; or make the field wider.",
    bad: `import { ktime, pid, ringbuf, struct, tracepoint, u32 } from "skep/kernel";

export const seen = ringbuf(struct({ pid: u32, at: u32 }));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  seen.emit({ pid: pid(), at: ktime() / 1000 });
});
`,
    good: `import { ktime, pid, ringbuf, struct, tracepoint, u32, u64 } from "skep/kernel";

export const seen = ringbuf(struct({ pid: u32, at: u64 }));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  seen.emit({ pid: pid(), at: ktime() / 1000 });
});
`,
  },
  EB2207: {
    title: "a comparison that is always the same",
    why: "An unsigned number is never below 0. A difference of two unsigned numbers is unsigned as well: it wraps around and becomes very large instead of negative.",
    write: "Compare before subtracting (`if (a < b) return;`), or subtract as signed numbers: `i64(a) - i64(b) < 0`.",
    bad: `import { counter, global, ktime, tracepoint, u64 } from "skep/kernel";

const last = global(u64, 0);
export const back = counter();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  if (ktime() - last.value < 0) back.inc();
});
`,
    good: `import { counter, global, ktime, tracepoint, u64 } from "skep/kernel";

const last = global(u64, 0);
export const back = counter();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  if (ktime() < last.value) back.inc();
});
`,
  },
  EB2301: {
    title: "a loop without a bound that the kernel can see",
    why: "The kernel proves that every program ends before it lets it run. It walks through a plain loop turn by turn and gives up when there are too many; of a loop whose number of turns comes from outside it sees no end.",
    write:
      "`for (const i of range(n))` counts up to any n; `range(0, n, { atMost: 256 })` also states a limit, for kernels without iterators; `while (condition && atMost(100))` ends after 100 turns whatever the condition is.",
    bad: `import { counter, random, tracepoint } from "skep/kernel";

export const tries = counter();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  while (random() % 6 !== 0) tries.inc();
});
`,
    good: `import { atMost, counter, random, tracepoint } from "skep/kernel";

export const tries = counter();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  while (random() % 6 !== 0 && atMost(100)) tries.inc();
});
`,
  },
  EB2310: {
    title: "a function that calls itself",
    why: "All calls of a program share 512 bytes of stack and may be eight deep; the kernel refuses recursion, also over several functions.",
    write: "A loop, with what has to be remembered in an array or a map.",
    bad: `import { tracepoint, u32, counter, pid } from "skep/kernel";

export const counts = counter(u32);
function down(n: u32): u32 {
  return n === 0 ? 0 : down(u32(n - 1));
}
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  counts.add(pid(), down(3));
});
`,
    good: `import { tracepoint, u32, counter, pid } from "skep/kernel";

export const counts = counter(u32);
function down(n: u32): u32 {
  let left = n & 7;
  for (let i = 0; i < 8; i++) if (left > 0) left -= 1;
  return u32(left);
}
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  counts.add(pid(), down(3));
});
`,
  },
};
