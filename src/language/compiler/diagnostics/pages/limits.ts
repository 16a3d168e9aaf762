import type { Pages } from "./page.ts";

/** EB5xxx: limits of the kernel or of the compiler. */
export const LIMITS: Pages = {
  EB5001: {
    title: "more ways through the program than the kernel will walk",
    why: "The kernel's verifier walks every way through a program, over all branches and all turns of plain loops, up to a million instructions. Each branch whose two sides leave different values behind doubles the ways from there on.",
    write:
      "Shorter loops, or `range` and `atMost`, which the kernel walks through once; conditions that end early (`return`) instead of marks that are looked at later; parts that do not depend on each other in functions of their own.",
  },
};
