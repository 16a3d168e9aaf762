import { example } from "./example.ts";
import type { Pages } from "./page.ts";

/** EB5xxx: limits of the kernel or of the compiler. */
export const LIMITS: Pages = {
  EB5001: {
    title: "more ways through the program than the kernel will walk",
    why: "The kernel's verifier walks every way through a program, over all branches and all turns of plain loops, up to a million instructions. Each branch whose two sides leave different values behind doubles the ways from there on.",
    write:
      "Shorter loops, or `range` and `atMost`, which the kernel walks through once; conditions that end early (`return`) instead of marks that are looked at later; parts that do not depend on each other in functions of their own, which take and give numbers: the kernel looks at those once.",
  },
  EB5003: {
    title: "more than five parameters",
    why: "A function of the kernel gets its arguments in five registers.",
    write: "Put them into a struct and pass that.",
    bad: example(
      "counter u32",
      "hits.add(all(1, 2, 3, 4, 5, 6));",
      "export const hits = counter();\nfunction all(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32): u32 {\n  return u32(a + b + c + d + e + f);\n}",
    ),
    good: example(
      "counter u32",
      "hits.add(all(1, 2, 3, 4, 5));",
      "export const hits = counter();\nfunction all(a: u32, b: u32, c: u32, d: u32, e: u32): u32 {\n  return u32(a + b + c + d + e);\n}",
    ),
  },
};
