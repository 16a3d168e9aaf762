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
  EB5004: {
    title: "calls that go too deep",
    why: "The kernel lets eight functions be at work at once, the program among them. Bodies of loops whose length is known only at run time are functions as well, on kernels without iterators (Linux 6.4).",
    write:
      "Write the innermost functions into those that call them; functions that are called in one place only, and small ones, are put in place anyway.",
  },
  EB5005: {
    title: "more maps than a program may have",
    why: "The kernel lets one program use 64 maps. The maps of variables (`.rodata`, `.bss`, `.data`) and of what was lost (`.losses`) count as well.",
    write:
      "Keep several values in one map: in a struct, or under a key that tells them apart. Or split the program in two.",
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
