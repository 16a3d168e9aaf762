import type { Pages } from "./page.ts";

/** EB1xxx: TypeScript that is no kernel TypeScript. */
export const SYNTAX: Pages = {
  EB1001: {
    title: "a construct that kernel TypeScript does not have",
    why: "A program in the kernel has registers, 512 bytes of stack, maps, and no heap, no garbage collector, no exceptions and no event loop. What needs one of these has no meaning there: classes, `this`, closures that are kept, `async`, generators, `try`, spread, regular expressions, dynamic properties, `any`. `var` and `==` have meanings that are easily mistaken and are left out as well.",
    write:
      "Plain functions, `const` and `let`, `===`, structs and maps that are declared with their types. What has to wait or to be computed with strings is done in user space, with what the program sends through a ring or a map.",
    bad: `import { counter, tracepoint, comm, str } from "skep/kernel";

export const opens = counter(str(16));
export const onOpen = tracepoint("syscalls:sys_enter_openat", async () => {
  opens.inc(comm());
});
`,
    good: `import { counter, tracepoint, comm, str } from "skep/kernel";

export const opens = counter(str(16));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  opens.inc(comm());
});
`,
  },
  EB1012: {
    title: "a number with a fraction",
    why: "The eBPF machine has integers of 64 bits and nothing else: there is no floating point, and the kernel does not save the processor's floating-point registers for a program.",
    write:
      "Scale: count in the smaller unit (nanoseconds instead of seconds) and multiply before dividing: `x * 1000 / y` for thousandths. User space divides what it shows.",
    bad: `import { histogram, ktime, tracepoint } from "skep/kernel";

export const half = histogram();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  half.record(ktime() * 0.5);
});
`,
    good: `import { histogram, ktime, tracepoint } from "skep/kernel";

export const half = histogram();
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => {
  half.record(ktime() / 2);
});
`,
  },
  EB1050: {
    title: "an aggregation of a one-liner that is used in two ways",
    why: "What a one-liner adds up is made of its first use: its kind (`count`, `sum`, `hist` …), and how many parts its key has. It is one map in the kernel, and the map has one form.",
    write:
      "Use it in one way, or give it another name: `count.opens[comm()]++` and `count.reads[pid()]++` are two, and so are `opens[comm()]++` and `reads[pid()]++`.",
  },
  EB1051: {
    title: "a one-liner that does not say when",
    why: "A program in the kernel runs when something happens. What stands outside of any program never would.",
    write:
      'Name the event: `tp("syscalls:sys_enter_openat", count[comm()]++)`, `profile({ hz: 99 }, count[comm()]++)`.',
  },
  EB1052: {
    title: "a histogram or mean that gets other values than it takes",
    why: "`hist`, `avg`, `min` and `max` record one value: `hist[key](value)`. `lhist` needs the range and the step of its buckets as well.",
    write: "`hist[comm()](ctx.ret)`, `avg(ctx.ret)`, `lhist[comm()](ctx.ret, 0, 1000, 50)`.",
  },
};
