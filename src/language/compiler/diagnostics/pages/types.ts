import { example } from "./example.ts";
import type { Pages } from "./page.ts";

const COUNT = "export const hits = counter();";
const TIMES = `const started = hash(u32, u64);
export const took = histogram();
export const onEnd = tracepoint("syscalls:sys_exit_openat", () => {
  started.set(tid(), ktime());
});`;
const TIME_WORDS = "hash histogram ktime tid u32 u64";

/** EB2xxx: types, and what is known where. */
export const TYPES: Pages = {
  EB2001: {
    title: "a type is wanted",
    why: "Types of kernel TypeScript are values: they lay out memory here and decode it in user space.",
    write:
      "`u8` to `u64`, `i8` to `i64`, `be16` to `be64`, `bool`, `str(n)`, `bytes(n)`, `array(type, n)`, `struct({ … })`.",
    bad: example("hash", "seen.set(1, 1);", "const seen = hash(1, 1);"),
    good: example("hash u32 u64", "seen.set(1, 1);", "const seen = hash(u32, u64);"),
  },
  EB2002: {
    title: "a size or an option that cannot be",
    why: "It becomes the size of memory, or of a map, and the kernel has limits for these.",
    write: "A whole number from 1 on, within the limit that the message names.",
    bad: example("counter str comm", "hits.inc(comm());", "export const hits = counter(str(0));"),
    good: example("counter str comm", "hits.inc(comm());", "export const hits = counter(str(16));"),
  },
  EB2003: {
    title: "a struct that cannot be laid out",
    why: "A struct is a list of fields with names and types, in the order that they stand in memory. Names that are numbers would change places in a JavaScript object.",
    write: "`struct({ pid: u32, comm: str(16) })`.",
    bad: example("ringbuf struct", "opened.emit({});", "export const opened = ringbuf(struct({}));"),
    good: example(
      "ringbuf struct u32 pid",
      "opened.emit({ pid: pid() });",
      "export const opened = ringbuf(struct({ pid: u32 }));",
    ),
  },
  EB2004: {
    title: "`number` says too little",
    why: "It says neither how many bits there are nor whether there is a sign, and both decide what is computed and stored.",
    write: "`u8` to `u64`, `i8` to `i64`; or no annotation: the type follows from the value.",
    bad: example("counter pid", "const n: number = pid();\nhits.add(n);", COUNT),
    good: example("counter pid u32", "const n: u32 = pid();\nhits.add(n);", COUNT),
  },
  EB2005: {
    title: "a type that kernel TypeScript does not have",
    why: "Values of the kernel are integers, booleans, texts, structs, and pointers whose target is known.",
    write:
      "`u8` to `u64`, `i8` to `i64`, `boolean`, `Kernel<typeof Struct>`, `UserPtr`, structs of `btf:vmlinux`, and one of these `| undefined`.",
    bad: example("counter pid", "const n: any = pid();\nhits.add(n);", COUNT),
    good: example("counter pid", "const n = pid();\nhits.add(n);", COUNT),
  },
  EB2010: {
    title: "the context, passed on whole",
    why: "The kernel checks each read of the context by its place in it, and refuses an address of the context that wanders.",
    write: "Read the fields that are wanted, and pass their values.",
    bad: example("counter", "const all = ctx;\nhits.add(all.mode);", COUNT),
    good: example("counter", "const { mode } = ctx;\nhits.add(mode);", COUNT),
  },
  EB2011: {
    title: "a name that is no value",
    why: "Maps, types, programs and functions are no values: they cannot be kept in a variable or computed with.",
    write: "Call it, or use a method or a member of it: `pid()`, `map.get(key)`, `XDP.PASS`.",
    bad: example("counter pid", "hits.add(pid);", COUNT),
    good: example("counter pid", "hits.add(pid());", COUNT),
  },
  EB2012: {
    title: "a variable without a first value",
    why: "The kernel refuses programs that read what was never written.",
    write: "`let x: u64 = 0;`, or `let x: u64 | undefined = undefined;`.",
    bad: example("counter pid u32", "let n: u32;\nn = pid();\nhits.add(n);", COUNT),
    good: example("counter pid u32", "let n: u32 = 0;\nn = pid();\nhits.add(n);", COUNT),
  },
  EB2013: {
    title: "a global without `.value`",
    why: "A global is a place in memory that programs on all CPUs and user space share: that it is read now should be seen.",
    write: "`x.value` reads and writes it, `x.add(n)` adds to it in one step.",
    bad: example("counter global u64", "hits.add(step);", `${COUNT}\nconst step = global(u64, 1);`),
    good: example("counter global u64", "hits.add(step.value);", `${COUNT}\nconst step = global(u64, 1);`),
  },
  EB2014: {
    title: "a field that cannot be stored",
    why: "What is sent or stored is bytes: numbers, booleans, texts and structs of such.",
    write: "Its fields, or an address as a number: `u64(x)`.",
  },
  EB2015: {
    title: "a declaration within a program",
    why: "Maps, rings, types and programs are made once, before any program runs.",
    write: "Write it outside of functions, and give it a name.",
    bad: example("counter", "const hits = counter();\nhits.inc();"),
    good: example("counter", "hits.inc();", COUNT),
  },
  EB2016: {
    title: "`range` or `atMost` where no loop is",
    why: "They are no functions that give a value: they say how a loop turns.",
    write: "`for (const i of range(0, n))`, and `atMost(n)` last in a loop's condition: `while (test && atMost(100))`.",
    bad: example("counter atMost", "if (atMost(3)) hits.inc();", COUNT),
    good: example("counter range", "for (const i of range(3)) hits.add(i);", COUNT),
  },
  EB2017: {
    title: "something that cannot be printed",
    why: "A printed value travels as bytes: numbers, booleans, texts, addresses.",
    write: "Print its fields.",
  },
  EB2018: {
    title: "an absent value that is too large",
    why: "Whether a value is there is known beside the value, and both live in registers.",
    write: "Take a reference (`map.ref(key)`) and test that, or read the fields when it is known to be there.",
  },
  EB2019: {
    title: "a statement that does nothing",
    why: "It computes something that nobody uses. Most often a `()` or an assignment is missing.",
    write: "Use the value, or take the statement out.",
    bad: example("counter pid", "hits.inc();\npid() + 1;", COUNT),
    good: example("counter pid", "hits.add(pid() + 1);", COUNT),
  },
  EB2020: {
    title: "a function that gives something large",
    why: "A function gives its result in one register.",
    write: "Give it a place to write to: a parameter with the struct's type.",
  },
  EB2021: {
    title: "a `case` that is no constant, or twice",
    why: "A `switch` is compiled to comparisons with numbers.",
    write: "Numbers that are known when the program is compiled, each once; `if` for everything else.",
    bad: example("counter pid", "switch (pid()) {\n  case 1:\n  case 1:\n    hits.inc();\n}", COUNT),
    good: example("counter pid", "switch (pid()) {\n  case 1:\n  case 2:\n    hits.inc();\n}", COUNT),
  },
  EB2026: {
    title: "a question that is about nothing the kernel could have",
    why: "`exists` is answered from the kernel's types while the program is compiled: whether a struct has a member, a tracepoint a field, and whether there is a function or a tracepoint of a name.",
    write:
      'A member, as it would be read (`exists(task().__state)`), or a name as a text (`exists("vfs_read")`, `exists("sched:sched_switch")`).',
    bad: example("counter pid exists", "if (exists(pid())) hits.inc();", COUNT),
    good: example("counter exists", "if (exists(ctx.flags)) hits.inc();", COUNT),
  },
  EB2022: {
    title: "a ring, or a program's argument, that cannot be",
    why: "A ring's memory is mapped in pages and its positions wrap around: its size is a power of two and a multiple of the page size. What is sent has fields with names.",
    write: "`ringbuf(struct({ … }), { bytes: 1 << 20 })`.",
    bad: example(
      "ringbuf struct u32 pid",
      "opened.emit({ pid: pid() });",
      "export const opened = ringbuf(struct({ pid: u32 }), { bytes: 5000 });",
    ),
    good: example(
      "ringbuf struct u32 pid",
      "opened.emit({ pid: pid() });",
      "export const opened = ringbuf(struct({ pid: u32 }), { bytes: 8192 });",
    ),
  },
  EB2023: {
    title: "a linear histogram without its steps",
    why: "Its buckets have one size and lie between two numbers; these are part of the program.",
    write: "`linear({ min: 0, max: 1000, step: 50 })`.",
    bad: example("linear", "modes.record(ctx.mode);", "export const modes = linear({ min: 0, max: 0, step: 8 });"),
    good: example("linear", "modes.record(ctx.mode);", "export const modes = linear({ min: 0, max: 512, step: 8 });"),
  },
  EB2024: {
    title: "a program without a function",
    why: "The function is what the kernel runs: it must stand where the program is declared.",
    write: '`tracepoint("…", (ctx) => { … })`.',
    bad: 'import { tracepoint } from "skep/kernel";\n\nexport const onOpen = tracepoint("syscalls:sys_enter_openat", 1);\n',
    good: example("counter", "hits.inc();", COUNT),
  },
  EB2025: {
    title: "something that cannot be a key",
    why: "A key is copied into the map: numbers, texts, bytes, and structs of such, 256 bytes at most.",
    write: "For an object of the kernel one of its fields, or its address: `u64(x)`.",
  },
  EB2101: {
    title: "a value that may be undefined",
    why: "What a map's `get` gives is `undefined` when the key is not in the map, and the kernel refuses a program that uses the address of an entry before it was compared with null. `tsc` says the same as TS18048 or TS2532.",
    write:
      "Test it first: `if (x === undefined) return;`, or give a value for that case: `x ?? 0`. `x?.field` is undefined where x is.",
    bad: example(TIME_WORDS, "const t0 = started.get(tid());\ntook.record(ktime() - t0);", TIMES),
    good: example(
      TIME_WORDS,
      "const t0 = started.get(tid());\nif (t0 === undefined) return;\ntook.record(ktime() - t0);",
      TIMES,
    ),
  },
  EB2102: {
    title: "`!` behind a value that may be undefined",
    why: "`x!` tells TypeScript to believe that x is there. The kernel believes nothing: it wants to see the test.",
    write: "`if (x === undefined) return;` before, or `x ?? 0`.",
    bad: example(TIME_WORDS, "took.record(ktime() - started.get(tid())!);", TIMES),
    good: example(TIME_WORDS, "took.record(ktime() - (started.get(tid()) ?? 0));", TIMES),
  },
  EB2104: {
    title: "absent and 0 would be the same",
    why: "`if (x)` is false both when x is undefined and when it is 0, and of a number that a map holds these are different things: the key is not there, or it is there with 0. TypeScript allows it; here it is most often a mistake.",
    write: "Say which is meant: `if (x !== undefined)` for being there, `if (x !== undefined && x !== 0)` for both.",
    bad: example(`${TIME_WORDS} counter`, "const t0 = started.get(tid());\nif (t0) hits.inc();", `${COUNT}\n${TIMES}`),
    good: example(
      `${TIME_WORDS} counter`,
      "const t0 = started.get(tid());\nif (t0 !== undefined) hits.inc();",
      `${COUNT}\n${TIMES}`,
    ),
  },
  EB2107: {
    title: "a value of what gives none",
    why: "The function or method that is called gives nothing back.",
    write: "Call it as a statement of its own.",
    bad: example("counter", "const n = hits.inc();\nhits.add(n);", COUNT),
    good: example("counter", "hits.inc();", COUNT),
  },
  EB2108: {
    title: "`&&` or `||` of what is no boolean",
    why: "In JavaScript `a || b` gives one of the two values; in the kernel they are tests, and give true or false.",
    write:
      "A comparison (`x !== 0`), `??` for another value where one is absent, `x !== 0 ? x : y` for another where it is 0.",
    bad: example("counter pid", "hits.add(pid() || 1);", COUNT),
    good: example("counter pid", "hits.add(pid() !== 0 ? pid() : 1);", COUNT),
  },
  EB2201: {
    title: "a division by zero that is written out",
    why: "In the eBPF machine x / 0 is 0 and x % 0 is x: nothing fails, and the result is seldom what was meant.",
    write: "Divide by something else. A divisor that may be 0 at run time is allowed and gives these results.",
    bad: example("ktime sum", "total.add(ktime() / 0);", "export const total = sum();"),
    good: example("ktime sum", "total.add(ktime() / 1000);", "export const total = sum();"),
  },
  EB2203: {
    title: "a signed and an unsigned number in one operation",
    why: "Division, remainder, right shift and the order comparisons are done in one way for signed and in another for unsigned numbers: -1 compared as unsigned is the greatest number there is. No integer holds all values of i64 and of u64.",
    write:
      "Convert one side: `u64(ret)` after a test that it is not negative, or `i64(size)`. Numbers that are written take the other side's sign by themselves.",
    bad: example("counter i64 ktime pid", "const a = i64(pid());\nif (a < ktime()) hits.inc();", COUNT),
    good: example("counter i64 ktime pid", "const a = i64(pid());\nif (a < i64(ktime())) hits.inc();", COUNT),
  },
  EB2205: {
    title: "a number that may not fit",
    why: "Integers are computed in 64 bits; a field, a key or a variable of 32 bits takes the lower half only. Cutting off the rest in silence loses data, so it has to be proven that nothing is lost, or said that it may be.",
    write:
      "`u32(x)` cuts off; `x & 0xff`, `x % 100` or a test (`if (x > 255) return;`) prove that it fits; or make the field wider.",
    bad: example(
      "ktime ringbuf struct u32",
      "seen.emit({ at: ktime() / 1000 });",
      "export const seen = ringbuf(struct({ at: u32 }));",
    ),
    good: example(
      "ktime ringbuf struct u64",
      "seen.emit({ at: ktime() / 1000 });",
      "export const seen = ringbuf(struct({ at: u64 }));",
    ),
  },
  EB2206: {
    title: "a written number that does not fit",
    why: "The number has more bits than the place that it goes to.",
    write: "A number within the type's range, or a wider type.",
    bad: example(
      "ringbuf struct u8",
      "seen.emit({ kind: 256 });",
      "export const seen = ringbuf(struct({ kind: u8 }));",
    ),
    good: example(
      "ringbuf struct u8",
      "seen.emit({ kind: 255 });",
      "export const seen = ringbuf(struct({ kind: u8 }));",
    ),
  },
  EB2207: {
    title: "a comparison that is always the same",
    why: "An unsigned number is never below 0. A difference of two unsigned numbers is unsigned as well: it wraps around and becomes very large instead of negative.",
    write: "Compare before subtracting (`if (a < b) return;`), or subtract as signed numbers: `i64(a) - i64(b) < 0`.",
    bad: example(
      "counter ktime global u64",
      "if (ktime() - last.value < 0) hits.inc();",
      `${COUNT}\nconst last = global(u64, 0);`,
    ),
    good: example(
      "counter ktime global u64",
      "if (ktime() < last.value) hits.inc();",
      `${COUNT}\nconst last = global(u64, 0);`,
    ),
  },
  EB2208: {
    title: "a shift by more bits than there are",
    why: "Integers have 64 bits while they are computed with; the machine takes a shift's count modulo 64, so that a shift by 64 would be none.",
    write: "A count from 0 to 63.",
    bad: example("counter pid", "hits.add(pid() << 64);", COUNT),
    good: example("counter pid", "hits.add(pid() << 3);", COUNT),
  },
  EB2209: {
    title: "a text that is too long for its place",
    why: "A text takes its bytes and a NUL behind them.",
    write: "A longer `str(n)`, or a shorter text.",
    bad: example(
      "ringbuf struct str",
      'seen.emit({ what: "opened" });',
      "export const seen = ringbuf(struct({ what: str(4) }));",
    ),
    good: example(
      "ringbuf struct str",
      'seen.emit({ what: "opened" });',
      "export const seen = ringbuf(struct({ what: str(8) }));",
    ),
  },
  EB2210: {
    title: "more or fewer elements than there are places",
    why: "An array has a fixed length, and each element is written.",
    write: "As many elements as its length says.",
  },
  EB2211: {
    title: "a comparison with a text that cannot be there",
    why: "The text is longer than the place it is compared with: it would never be equal.",
    write: "A shorter text. Names of threads (`comm()`) have 15 characters at most.",
    bad: example("counter comm", 'if (comm() === "a-name-of-more-than-15") hits.inc();', COUNT),
    good: example("counter comm", 'if (comm() === "a-name-of-15-ch") hits.inc();', COUNT),
  },
  EB2212: {
    title: "an element of a text, compared with more than one byte",
    why: "`text[i]` is one byte; characters beyond ASCII have several.",
    write: "One ASCII character, or a number: `text[0] === 0x2f`.",
    bad: example("counter comm", 'if (comm()[0] === "sh") hits.inc();', COUNT),
    good: example("counter comm", 'if (comm()[0] === "s") hits.inc();', COUNT),
  },
  EB2213: {
    title: "a text with a NUL in it",
    why: "A text ends at its first NUL: what is behind it would never be seen.",
    write: "`bytes(n)` for what may hold any byte.",
    bad: example("counter comm", 'if (comm() === "a\\0b") hits.inc();', COUNT),
    good: example("counter comm", 'if (comm() === "a") hits.inc();', COUNT),
  },
  EB2301: {
    title: "memory that kernel TypeScript cannot read",
    why: "The member of the kernel's struct is of a type that has no meaning here: a function, a floating-point number, a bit-field wider than 64 bits.",
    write: "Another member; or `readKernel(address, type)` with a type that has the same bytes.",
  },
  EB2302: {
    title: "a bound that no loop can have",
    why: "The kernel lets a loop turn 8,388,608 times at most (`BPF_MAX_LOOPS`).",
    write: "A smaller bound, or the work in several runs of the program.",
    bad: example("atMost counter random", "while (random() > 5 && atMost(0)) hits.inc();", COUNT),
    good: example("atMost counter random", "while (random() > 5 && atMost(100)) hits.inc();", COUNT),
  },
  EB2303: {
    title: "a loop over something that has no elements",
    why: "A loop goes over arrays, texts, maps and ranges: of these the kernel knows where they end.",
    write: "`for (const i of range(n))`, `for (const x of array)`, `for (const [key, value] of map)`.",
    bad: example("counter pid", "for (const x of pid()) hits.add(x);", COUNT),
    good: example("counter range pid", "for (const x of range(0, 4)) hits.add(x);", COUNT),
  },
  EB2028: {
    title: "programs of several kinds in one program array",
    why: "A tail call hands the context over as it is: a program at a tracepoint would find a probe's registers where it looks for its record. The kernel takes programs of one kind only into an array.",
    write: "Declare the programs by one word, and use one program array for each kind.",
    bad: 'import { progArray, rawTracepoint, uprobe } from "skep/kernel";\n\nexport const steps = progArray(["first", "second"]);\nexport const first = rawTracepoint("sys_enter", () => {\n  steps.tailCall("second");\n});\nexport const second = uprobe("libc", "malloc", () => {});\n',
    good: 'import { progArray, rawTracepoint } from "skep/kernel";\n\nexport const steps = progArray(["second"]);\nexport const first = rawTracepoint("sys_enter", () => {\n  steps.tailCall("second");\n});\nexport const second = rawTracepoint("sys_enter", () => {});\n',
  },
  EB2310: {
    title: "a function that calls itself",
    why: "All calls of a program share 512 bytes of stack and may be eight deep; the kernel refuses recursion, also over several functions.",
    write: "A loop, with what has to be remembered in an array or a map.",
    bad: example(
      "counter pid u32",
      "hits.add(down(pid()));",
      `${COUNT}\nfunction down(n: u32): u32 {\n  return n === 0 ? 0 : down(u32(n - 1));\n}`,
    ),
    good: example(
      "counter pid u32 u64 range",
      "hits.add(down(pid()));",
      `${COUNT}\nfunction down(n: u32): u64 {\n  let left: u64 = n;\n  for (const i of range(8)) if (left > i) left -= 1;\n  return left;\n}`,
    ),
  },
};
