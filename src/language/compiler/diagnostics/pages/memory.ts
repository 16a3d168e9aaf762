import type { Pages } from "./page.ts";

/** EB3xxx: memory, and the rules of the kernel's verifier. */
export const MEMORY: Pages = {
  EB3101: {
    title: "an index that may lie outside",
    why: "The kernel refuses a program that might read or write beside an array. It has to be seen from the code that the index is below the array's length on every way that leads there; a signed index must also be seen not to be negative.",
    write:
      "Test the very value that is used: `if (i >= 256) return;`. Or cut it: `i & 255` for lengths that are powers of two, `i % 100` for others. An index of type u8 fits an array of 256.",
    bad: `import { arrayMap, tracepoint, u64 } from "skep/kernel";

export const slots = arrayMap(u64, 256);
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  slots.ref(ctx.mode).add(1);
});
`,
    good: `import { arrayMap, tracepoint, u64 } from "skep/kernel";

export const slots = arrayMap(u64, 256);
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  slots.ref(ctx.mode & 255).add(1);
});
`,
  },
  EB3105: {
    title: "memory of the process, read as if it were the kernel's",
    why: "An address that a system call was given points into the memory of the process. The kernel cannot follow it like one of its own: the page may not be there, and the address may be anything.",
    write: "`userStr(p)` reads a text, `readUser(p, type)` a value. Both give zeros where the memory cannot be read.",
    bad: `import { counter, str, tracepoint } from "skep/kernel";

export const files = counter(str(64));
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  files.inc(ctx.filename);
});
`,
    good: `import { counter, str, tracepoint, userStr } from "skep/kernel";

export const files = counter(str(64));
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  files.inc(userStr(ctx.filename));
});
`,
  },
  EB3106: {
    title: "a pointer that the kernel does not vouch for",
    why: "A pointer that a program was given (an argument of fentry, `task()`) is alive as long as the program runs. What was reached by following the pointers in it may be freed at any moment: it may be read, since a read of what is gone gives 0, but no helper or kernel function that changes it will take it.",
    write: "Pass the pointer that was given, or read what is needed and pass the values.",
  },
  EB3108: {
    title: "a field without a value",
    why: "What is sent or stored is written whole: a field that is left out would hold what was in that memory before, which may be another program's data.",
    write: 'Give each field a value; 0 or "" where there is none.',
    bad: `import { comm, ktime, pid, ringbuf, str, struct, tracepoint, u32 } from "skep/kernel";

export const seen = ringbuf(struct({ pid: u32, comm: str(16) }));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  seen.emit({ pid: pid() });
});
`,
    good: `import { comm, pid, ringbuf, str, struct, tracepoint, u32 } from "skep/kernel";

export const seen = ringbuf(struct({ pid: u32, comm: str(16) }));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  seen.emit({ pid: pid(), comm: comm() });
});
`,
  },
  EB3110: {
    title: "more than 512 bytes of stack",
    why: "All functions of a program that are active together have 512 bytes for their local texts, arrays and structs. There is no heap to put the rest on. The diagnostic lists the largest pieces.",
    write:
      "Build what is sent where it is sent: `ring.emit({ path: userStr(p, 256) })` reads straight into the ring's record and takes no stack. Or keep it in a map's value (`map.ref(key)`), or make it shorter.",
    bad: `import { counter, str, tracepoint, userStr } from "skep/kernel";

export const files = counter(str(400));
export const twice = counter(str(400));
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  const first = userStr(ctx.filename, 400);
  const second = userStr(ctx.filename, 400);
  files.inc(first);
  twice.inc(second);
  files.inc(second);
  twice.inc(first);
});
`,
    good: `import { ringbuf, str, struct, tracepoint, userStr } from "skep/kernel";

export const files = ringbuf(struct({ first: str(400), second: str(400) }));
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  files.emit({ first: userStr(ctx.filename, 400), second: userStr(ctx.filename, 400) });
});
`,
  },
  EB3120: {
    title: "one variable for different kinds of memory",
    why: "The kernel knows of each pointer what it points to, and one instruction must not read now from one kind of memory, now from another.",
    write: "Read in each branch what is needed, and let the branches give the value instead of the pointer.",
  },
  EB3202: {
    title: "a reference to what is no longer there",
    why: "A reference points into a map's entry. After the entry was deleted its memory belongs to another one soon.",
    write: "Read what is needed before, or get it again afterwards.",
  },
  EB3204: {
    title: "a record that is given back on some ways out",
    why: "A record that was reserved in a ring has to be submitted or discarded on every way out of the program, or the kernel refuses it. Where neither is written it is discarded: nothing is sent.",
    write: "Write `slot.submit()` or `slot.discard()` on each way, or use `emit({ … })`.",
  },
  EB3301: {
    title: "counting that loses",
    why: "Between `get` and `set` another CPU may do the same with the same entry, and one of the two is lost.",
    write: "`map.ref(key)?.add(1)` adds in one step; `counter` does it all.",
    bad: `import { hash, pid, tracepoint, u32, u64 } from "skep/kernel";

export const counts = hash(u32, u64);
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  const before = counts.get(pid());
  if (before === undefined) counts.set(pid(), 1);
  else counts.set(pid(), before + 1);
});
`,
    good: `import { counter, pid, tracepoint, u32 } from "skep/kernel";

export const counts = counter(u32);
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  counts.inc(pid());
});
`,
  },
};
