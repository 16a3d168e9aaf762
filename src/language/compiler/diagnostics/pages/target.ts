import type { Pages } from "./page.ts";

/** EB4xxx: what the kernel that is compiled for has not. */
export const TARGET: Pages = {
  EB4101: {
    title: "a function that this kind of program has not",
    why: "The kernel lets each kind of program call certain helpers only: `overrideReturn` changes what a function returns and works where the kernel is prepared for that.",
    write:
      "Another kind of program, or another way to the same end. `skep doctor --all` lists which helper works where.",
  },
  EB4201: {
    title: "a feature that the target kernel has not",
    why: "What is used came with a later version of Linux than the kernel that is compiled for. The kernel was asked, it is not its version that decides.",
    write: "The message names the first version that has it. Do without, or run it there.",
  },
  EB4301: {
    title: "a loop for which this kernel has no means",
    why: "Loops of any length need iterators (Linux 6.4) or bpf_loop (5.17). Before, the number of turns has to be limited by what the source says.",
    write: "State a limit: `range(0, n, { atMost: 256 })`, `while (condition && atMost(256))`.",
  },
};
