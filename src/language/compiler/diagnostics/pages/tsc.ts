import { example } from "./example.ts";
import type { Pages } from "./page.ts";

const COUNT = "export const hits = counter();";

/** What TypeScript says as well, by its own numbers: an editor shows the same, before anything is compiled. */
export const TSC: Pages = {
  TS1104: {
    title: "a `continue` outside of a loop",
    why: "There is no loop around it that could go on.",
    write: "`return`, to end the program.",
    bad: example("counter", "hits.inc();\ncontinue;", COUNT),
    good: example("counter", "hits.inc();\nreturn;", COUNT),
  },
  TS1105: {
    title: "a `break` outside of a loop",
    why: "There is no loop or `switch` around it that could end.",
    write: "`return`, to end the program.",
    bad: example("counter", "hits.inc();\nbreak;", COUNT),
    good: example("counter", "hits.inc();\nreturn;", COUNT),
  },
  TS1117: {
    title: "a field that is there twice",
    why: "Only one of the two values would be kept.",
    write: "Each field once.",
    bad: example(
      "ringbuf struct u32 pid",
      "seen.emit({ pid: pid(), pid: 1 });",
      "export const seen = ringbuf(struct({ pid: u32 }));",
    ),
    good: example(
      "ringbuf struct u32 pid",
      "seen.emit({ pid: pid() });",
      "export const seen = ringbuf(struct({ pid: u32 }));",
    ),
  },
  TS1192: {
    title: "an import of a default that there is not",
    why: "Modules of kernel TypeScript export names.",
    write: "`import { name } from …`.",
    bad: 'import kernel from "skep/kernel";\n\nexport const a = 1;\n',
    good: "export const a = 1;\n",
  },
  TS2304: {
    title: "a name that nobody declared",
    why: "It is mistyped, or its import is missing. Nothing of JavaScript's own (`Date`, `console`, `process`) is there in the kernel.",
    write: 'Import it: `import { pid } from "skep/kernel"`.',
    bad: example("counter", "hits.add(Date.now());", COUNT),
    good: example("counter ktime", "hits.add(ktime());", COUNT),
  },
  TS2305: {
    title: "an import of something that the module does not export",
    why: "It is mistyped, or not exported there.",
    write: "Export it there, or import it by its right name.",
  },
  TS2307: {
    title: "an import of a file that there is not",
    why: "Names of files are relative to the file that imports them, and have their end: `./events.bpf.ts`.",
    write: "The file's whole name.",
    bad: 'import { a } from "./nowhere.bpf.ts";\n\nexport const b = a;\n',
  },
  TS2322: {
    title: "a value of another type than its place",
    why: "The place holds values of one type, and what cannot be one without losing something is refused.",
    write: "A conversion that says what is meant, `u32(x)`, `i64(x)`; or another type for the place.",
    bad: example("counter ktime u32", "const n: u32 = ktime();\nhits.add(n);", COUNT),
    good: example("counter ktime u32", "const n: u32 = u32(ktime());\nhits.add(n);", COUNT),
  },
  TS2339: {
    title: "a member that there is not",
    why: "The context, the struct or the map has no member of this name. Fields of contexts are those of the kernel that is compiled for.",
    write: "One of the names that the message lists.",
    bad: example("counter str userStr", "hits.inc(userStr(ctx.filenam));", "export const hits = counter(str(64));"),
    good: example("counter str userStr", "hits.inc(userStr(ctx.filename));", "export const hits = counter(str(64));"),
  },
  TS2345: {
    title: "an argument of another type",
    why: "The parameter takes values of one type, and what cannot be one without losing something is refused.",
    write: "A conversion that says what is meant, or another value.",
    bad: 'import { counter, tracepoint } from "skep/kernel";\n\nexport const hits = counter();\nexport const onOpen = tracepoint("syscalls:sys_enter_opennat", () => {\n  hits.inc();\n});\n',
    good: example("counter", "hits.inc();", COUNT),
  },
  TS2349: {
    title: "a call of what is no function",
    why: "Only functions, and methods of maps and values, can be called.",
    write: "The name without `()`, or a function.",
    bad: example("counter pid", "const n = pid();\nhits.add(n());", COUNT),
    good: example("counter pid", "const n = pid();\nhits.add(n);", COUNT),
  },
  TS2353: {
    title: "a field or an option that there is not",
    why: "It would be left out in silence.",
    write: "One of the names that the message lists.",
    bad: example(
      "ringbuf struct u32 pid",
      "seen.emit({ pid: pid(), x: 1 });",
      "export const seen = ringbuf(struct({ pid: u32 }));",
    ),
    good: example(
      "ringbuf struct u32 pid",
      "seen.emit({ pid: pid() });",
      "export const seen = ringbuf(struct({ pid: u32 }));",
    ),
  },
  TS2362: {
    title: "arithmetic with what is no number",
    why: "Arithmetic is done with integers.",
    write: "A field of it that is a number, or a conversion: `u32(flag)`, `u64(pointer)`.",
    bad: example("counter comm", "hits.add(comm() * 2);", COUNT),
    good: example("counter comm", "hits.add(comm().length * 2);", COUNT),
  },
  TS2364: {
    title: "an assignment to what is no place",
    why: "Only variables, fields and elements can be assigned to.",
    write: "A variable of its own.",
  },
  TS2366: {
    title: "a function that ends without its result",
    why: "Somewhere it ends, and gives nothing.",
    write: "`return` a value on each way.",
    bad: example(
      "counter pid u32",
      "hits.add(one(pid()));",
      `${COUNT}\nfunction one(n: u32): u32 {\n  if (n > 1) return n;\n}`,
    ),
    good: example(
      "counter pid u32",
      "hits.add(one(pid()));",
      `${COUNT}\nfunction one(n: u32): u32 {\n  if (n > 1) return n;\n  return 0;\n}`,
    ),
  },
  TS2367: {
    title: "a comparison of what is never equal",
    why: "The two sides are of different types, or both are known.",
    write: "Values of one type on both sides.",
    bad: example("counter comm pid", "if (comm() === pid()) hits.inc();", COUNT),
    good: example("counter comm", 'if (comm() === "sh") hits.inc();', COUNT),
  },
  TS2451: {
    title: "a name that is declared twice",
    why: "Which of the two is meant would not be known.",
    write: "Another name.",
    bad: example("counter pid", "const n = 1;\nconst n = pid();\nhits.add(n);", COUNT),
    good: example("counter pid", "const n = pid();\nhits.add(n);", COUNT),
  },
  TS2493: {
    title: "an argument that there is not",
    why: "The function or event has fewer arguments.",
    write: "A number below how many there are.",
  },
  TS2554: {
    title: "too many or too few arguments",
    why: "A function takes as many as it declares.",
    write: "As many as the message says.",
    bad: example("counter pid", "hits.add(pid(1));", COUNT),
    good: example("counter pid", "hits.add(pid());", COUNT),
  },
  TS2588: {
    title: "an assignment to a constant",
    why: "It was declared with `const`.",
    write: "`let`.",
    bad: example("counter pid", "const n = 1;\nn = pid();\nhits.add(n);", COUNT),
    good: example("counter pid u32", "let n: u32 = 1;\nn = pid();\nhits.add(n);", COUNT),
  },
  TS2694: {
    title: "a struct that this kernel has not",
    why: "Types of `btf:vmlinux` are those of the kernel that is compiled for.",
    write: "The name that this kernel has for it: `skep btf find NAME`.",
  },
  TS2741: {
    title: "a field that is missing",
    why: "What is sent or stored is written whole: a field that is left out would hold what was in that memory before, which may be somebody else's data.",
    write: 'A value for each field; 0 or "" where there is none.',
    bad: example(
      "ringbuf struct u32 pid",
      "seen.emit({ pid: pid() });",
      "export const seen = ringbuf(struct({ pid: u32, tid: u32 }));",
    ),
    good: example(
      "ringbuf struct u32 pid tid",
      "seen.emit({ pid: pid(), tid: tid() });",
      "export const seen = ringbuf(struct({ pid: u32, tid: u32 }));",
    ),
  },
  TS7006: {
    title: "a parameter without a type",
    why: "The function is compiled once, for values of one type.",
    write: "`(n: u64)`.",
    bad: example("counter pid", "hits.add(twice(pid()));", `${COUNT}\nfunction twice(n) {\n  return n * 2;\n}`),
    good: example(
      "counter pid u64",
      "hits.add(twice(pid()));",
      `${COUNT}\nfunction twice(n: u64): u64 {\n  return n * 2;\n}`,
    ),
  },
  TS7053: {
    title: "an element of what has none",
    why: "Only arrays, texts and bytes have elements by number.",
    write: "A field, by its name.",
    bad: example("counter pid", "hits.add(pid()[0]);", COUNT),
    good: example("counter comm", "hits.add(comm()[0]);", COUNT),
  },
};
