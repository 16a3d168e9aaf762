import type { Pages } from "./page.ts";

/** EB4xxx: what the kernel that is compiled for has not. */
export const TARGET: Pages = {
  EB4001: {
    title: "types of the kernel that are not there",
    why: "Members of the kernel's structs and arguments of its functions are looked up in the types that the kernel carries with it (BTF, /sys/kernel/btf/vmlinux). This kernel has none, or lacks this one.",
    write:
      "Run it on a kernel with CONFIG_DEBUG_INFO_BTF. `skep doctor` tells whether it has; `skep btf find NAME` what is in it.",
  },
  EB4103: {
    title: "a call stack in a program that may sleep",
    why: "The kernel takes call stacks with memory of the CPU's own, which a program that sleeps would have to give back in between.",
    write:
      "Take the stack in a program at a tracepoint, a probe or a timer; a `syscall` program can read what those found.",
    bad: 'import { stackTraces, syscall } from "skep/kernel";\n\nexport const stacks = stackTraces(64);\nexport const run = syscall(() => (stacks.id() < 0 ? 1 : 0));\n',
    good: 'import { interval, stackTraces } from "skep/kernel";\n\nexport const stacks = stackTraces(64);\nexport const run = interval({ ms: 10 }, () => {\n  if (stacks.id() < 0) return 1;\n});\n',
  },
  EB4201: {
    title: "a helper that is newer than this kernel",
    why: "Helpers are functions that the kernel has for eBPF programs. New ones came with each release until Linux 6.2; a kernel that lacks one refuses every program that calls it.",
    write:
      "Something that does without it, chosen by who loads the program; or run it on the kernel that the message names, or a newer one.",
  },
  EB4203: {
    title: "a helper that is not for this kind of program",
    why: "The kernel has a list of helpers for each type of program: what asks for the task that runs means nothing for a packet, for example.",
    write: "Do it in a program of another kind, and hand the result over in a map.",
  },
  EB4202: {
    title: "an atomic operation that this kernel has not",
    why: "Before Linux 5.12 the only thing that is done atomically is an addition whose old value nobody asks for.",
    write: "`add(n)` as a statement of its own; or run it on a newer kernel.",
  },
  EB4301: {
    title: "a loop for which this kernel has no means",
    why: "Loops of any length need iterators (Linux 6.4) or bpf_loop (5.17). Before, the number of turns has to be limited by what the source says.",
    write: "State a limit: `range(0, n, { atMost: 256 })`, `while (condition && atMost(256))`.",
  },
  EB4302: {
    title: "a record that is given away in a loop that did not take it",
    why: "The body of a loop whose length is known only at run time is a function of its own for the kernel, and a function may give away only what it took itself.",
    write: "Leave the loop first, then submit or discard the record.",
  },
  EB4303: {
    title: "a tail call with something still to be given back",
    why: "A tail call goes on in another program and does not come back: a record that is reserved would be kept for ever, and so would a loop that the kernel counts, or that is a function of its own. The kernel refuses both.",
    write: "Submit or discard the record in a block of its own, and make the call behind the loop.",
    bad: 'import { progArray, rawTracepoint, ringbuf, struct, u32 } from "skep/kernel";\n\nexport const seen = ringbuf(struct({ step: u32 }));\nexport const steps = progArray(["second"]);\nexport const first = rawTracepoint("sys_enter", () => {\n  const event = seen.reserve();\n  if (event === undefined) return;\n  event.submit();\n  steps.tailCall("second");\n});\nexport const second = rawTracepoint("sys_enter", () => {\n  seen.emit({ step: 2 });\n});\n',
    good: 'import { progArray, rawTracepoint, ringbuf, struct, u32 } from "skep/kernel";\n\nexport const seen = ringbuf(struct({ step: u32 }));\nexport const steps = progArray(["second"]);\nexport const first = rawTracepoint("sys_enter", () => {\n  seen.emit({ step: 1 });\n  steps.tailCall("second");\n});\nexport const second = rawTracepoint("sys_enter", () => {\n  seen.emit({ step: 2 });\n});\n',
  },
};
