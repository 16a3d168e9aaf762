import { example } from "./example.ts";
import type { Pages } from "./page.ts";

/** EB3xxx: memory, and the rules of the kernel's verifier. */
export const MEMORY: Pages = {
  EB3101: {
    title: "an index that may lie outside",
    why: "The kernel refuses a program that might read or write beside an array. It has to be seen from the code that the index is below the array's length on every way that leads there; a signed index must also be seen not to be negative.",
    write:
      "Test the very value that is used: `if (i >= 256) return;`. Or cut it: `i & 255` for lengths that are powers of two, `i % 100` for others. An index of type u8 fits an array of 256.",
    bad: example("arrayMap u64", "slots.ref(ctx.mode).add(1);", "export const slots = arrayMap(u64, 256);"),
    good: example("arrayMap u64", "slots.ref(ctx.mode & 255).add(1);", "export const slots = arrayMap(u64, 256);"),
  },
  EB3103: {
    title: "memory of the kernel that would be written",
    why: "Objects of the kernel are changed by the kernel: a program may read them, and ask for changes by helpers.",
    write: "A helper that does it, if there is one; a copy in a variable or in a map.",
  },
  EB3104: {
    title: "something that a program cannot assign to",
    why: "Constants and parameters (`param`) are read-only for programs; the context belongs to the kernel, but for `syscall` programs, which are handed one by whoever runs them.",
    write: "`global(type, initial)` for a value that programs change; a local variable for a copy.",
    bad: example(
      "counter param u64",
      "step = 2;\nhits.add(step);",
      "export const hits = counter();\nexport const step = param(u64, 1);",
    ),
    good: example(
      "counter global u64",
      "step.value = 2;\nhits.add(step.value);",
      "export const hits = counter();\nexport const step = global(u64, 1);",
    ),
  },
  EB3105: {
    title: "memory of the process, read as if it were the kernel's",
    why: "An address that a system call was given points into the memory of the process. The kernel cannot follow it like one of its own: the page may not be there, and the address may be anything.",
    write: "`userStr(p)` reads a text, `readUser(p, type)` a value. Both give zeros where the memory cannot be read.",
    bad: example(
      "counter kernelStr str",
      "files.inc(kernelStr(ctx.filename));",
      "export const files = counter(str(64));",
    ),
    good: example("counter str userStr", "files.inc(userStr(ctx.filename));", "export const files = counter(str(64));"),
  },
  EB3106: {
    title: "a pointer that the kernel does not vouch for",
    why: "A pointer that a program was given (an argument of fentry, `task()`) is alive as long as the program runs. What was reached by following the pointers in it may be freed at any moment: it may be read, since a read of what is gone gives 0, but no helper or kernel function that changes it will take it.",
    write: "Pass the pointer that was given, or read what is needed and pass the values.",
  },
  EB3107: {
    title: "a place in the context that is not known",
    why: "The kernel rewrites each read of a program's context to what it really is; it can do that only where the place stands in the code.",
    write: "Name the field. For one of several arguments, a `switch` over the number with one read in each `case`.",
    bad: example("counter", 'const name = "mode";\nhits.add(ctx[name]);', "export const hits = counter();"),
    good: example("counter", "hits.add(ctx.mode);", "export const hits = counter();"),
  },
  EB3109: {
    title: "an atomic operation on 8 or 16 bits",
    why: "The machine has atomic operations for 32 and 64 bits only.",
    write: "A wider field.",
    bad: example("global u8", "n.add(1);", "export const n = global(u8, 0);"),
    good: example("global u32", "n.add(1);", "export const n = global(u32, 0);"),
  },
  EB3110: {
    title: "more than 512 bytes of stack",
    why: "All functions of a program that are active together have 512 bytes for their local texts, arrays and structs. There is no heap to put the rest on. The diagnostic lists the largest pieces.",
    write:
      "Build what is sent where it is sent: `ring.emit({ path: userStr(p, 256) })` reads straight into the ring's record and takes no stack. Or keep it in a map's value (`map.ref(key)`), or make it shorter.",
    bad: example(
      "counter str userStr",
      "const first = userStr(ctx.filename, 300);\nconst second = userStr(ctx.filename, 300);\nfiles.inc(first);\nfiles.inc(second);\nfiles.inc(first);",
      "export const files = counter(str(300));",
    ),
    good: example(
      "ringbuf struct str userStr",
      "files.emit({ first: userStr(ctx.filename, 300), second: userStr(ctx.filename, 300) });",
      "export const files = ringbuf(struct({ first: str(300), second: str(300) }));",
    ),
  },
};
