import type { Pages } from "./page.ts";

/** EB9xxx: faults of the compiler. */
export const COMPILER: Pages = {
  EB9001: {
    title: "the kernel refused what the compiler let pass",
    why: "The compiler proves that the kernel will take a program before it hands it over. Here the kernel's verifier refused it all the same: the compiler's picture of the verifier is wrong in some detail, or the code it made is. It is not the source that is at fault.",
    write:
      "Please report it, with the source, the kernel's version and the verifier's log. Writing the marked line in another way often helps for the time being: the message tells what the verifier missed there.",
  },
  EB9002: {
    title: "the compiler failed",
    why: "Something happened inside of the compiler that should never happen, whatever the source is.",
    write: "Please report it, with the source.",
  },
};
