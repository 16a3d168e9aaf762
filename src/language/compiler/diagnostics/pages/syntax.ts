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
};
