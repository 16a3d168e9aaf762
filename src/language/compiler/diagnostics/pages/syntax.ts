import { example } from "./example.ts";
import type { Pages } from "./page.ts";

const OPENS = "export const opens = counter(str(16));";

/** EB1xxx: TypeScript that is no kernel TypeScript. */
export const SYNTAX: Pages = {
  EB1000: {
    title: "no TypeScript",
    why: "The text cannot be parsed: a bracket is missing, or a word stands where it does not belong. The parser says where it stumbled, which is at or behind the mistake.",
    write: "What is missing. An editor or `tsc` shows the same place.",
    bad: "export const a = ;\n",
    good: "export const a = 1;\n",
  },
  EB1001: {
    title: "a construct that kernel TypeScript does not have",
    why: "A program in the kernel has registers, 512 bytes of stack and maps; it has no heap, no garbage collector, no exceptions and no event loop. What needs one of these has no meaning there: classes, `this`, functions as values, `async`, generators, `try`, regular expressions, properties that are made at run time.",
    write:
      "Plain functions, `const` and `let`, structs and maps that are declared with their types. What has to wait, or to be computed with texts, is done in user space, with what the program sends through a ring or a map.",
    bad: example("counter str comm", "try {\n  opens.inc(comm());\n} catch {}", OPENS),
    good: example("counter str comm", "opens.inc(comm());", OPENS),
  },
  EB1002: {
    title: "`==` and `!=`",
    why: "They convert what they compare, by rules that few know by heart. Values of the kernel have types that are known: there is nothing to convert.",
    write: "`===` and `!==`.",
    bad: example("counter pid", "if (pid() == 1) opens.inc();", "export const opens = counter();"),
    good: example("counter pid", "if (pid() === 1) opens.inc();", "export const opens = counter();"),
  },
  EB1003: {
    title: "an assignment within an expression",
    why: "In which order the parts of an expression are done is easily misread when one of them changes a variable that another one reads.",
    write: "A statement of its own before.",
    bad: example("counter pid", "let n = 0;\nif ((n = pid()) > 1) opens.inc();", "export const opens = counter();"),
    good: example("counter pid", "const n = pid();\nif (n > 1) opens.inc();", "export const opens = counter();"),
  },
  EB1004: {
    title: "a `?.` that is more than one test",
    why: "`x?.field` is one test and one read of a value that fits a register. Longer chains would hide how many tests there are, and each costs instructions.",
    write: "Give what may be absent a name, test it, and go on from there.",
  },
  EB1005: {
    title: "spread, computed names, methods in an object",
    why: "How many arguments and fields there are, and what they are called, must stand in the source: memory is laid out before the program runs.",
    write: "Write each argument and each field out.",
    bad: example(
      "ringbuf struct u32 pid",
      "const rest = { pid: pid() };\nopened.emit({ ...rest });",
      "export const opened = ringbuf(struct({ pid: u32 }));",
    ),
    good: example(
      "ringbuf struct u32 pid",
      "opened.emit({ pid: pid() });",
      "export const opened = ringbuf(struct({ pid: u32 }));",
    ),
  },
  EB1006: {
    title: "a function within a function",
    why: "A function inside of another one could use its variables after it has returned; there is no memory for that in the kernel.",
    write: "Declare it outside of programs, and pass what it needs.",
    bad: example(
      "counter u32 pid",
      "function odd(n: u32): boolean {\n  return (n & 1) === 1;\n}\nif (odd(pid())) opens.inc();",
      "export const opens = counter();",
    ),
    good: example(
      "counter u32 pid",
      "if (odd(pid())) opens.inc();",
      "export const opens = counter();\nfunction odd(n: u32): boolean {\n  return (n & 1) === 1;\n}",
    ),
  },
  EB1007: {
    title: "`var`, `using`",
    why: "`var` is known in the whole function, also before its line; `using` calls a method at the end that nothing in the kernel has.",
    write: "`const`, or `let` for what changes.",
    bad: example("counter pid", "var n = pid();\nif (n > 1) opens.inc();", "export const opens = counter();"),
    good: example("counter pid", "const n = pid();\nif (n > 1) opens.inc();", "export const opens = counter();"),
  },
  EB1008: {
    title: "a pattern that kernel TypeScript does not have",
    why: "Names are given to fields one by one, `const { pid, comm: name } = event`; other patterns would copy or need values for what is missing.",
    write: "Take fields by their plain names, and elements by `x[0]`.",
  },
  EB1009: {
    title: "an assignment with a condition in it",
    why: "`a ??= b`, `a ||= b` and `a &&= b` are a test and an assignment in one; in the kernel the test must be seen.",
    write: "`if (a === 0) a = b;`",
    bad: example("counter pid", "let n = 0;\nn ||= pid();\nopens.add(n);", "export const opens = counter();"),
    good: example(
      "counter pid",
      "let n = 0;\nif (n === 0) n = pid();\nopens.add(n);",
      "export const opens = counter();",
    ),
  },
  EB1010: {
    title: "a loop over a variable of outside",
    why: "The variable of `for … of` has another value, and may live in another register, in each turn.",
    write: "Declare it in the loop: `for (const x of …)`.",
    bad: example("counter range", "let i = 0;\nfor (i of range(3)) opens.add(i);", "export const opens = counter();"),
    good: example("counter range", "for (const i of range(3)) opens.add(i);", "export const opens = counter();"),
  },
  EB1011: {
    title: "a function that kernel TypeScript does not have",
    why: "Functions have parameters with types, and a body. Type parameters, `async`, `*`, default values and rest parameters need a machine that decides at run time.",
    write: "A plain function, once for each type it is wanted for.",
  },
  EB1012: {
    title: "a number with a fraction",
    why: "The eBPF machine has integers of 64 bits and nothing else: there is no floating point, and the kernel does not save the processor's floating-point registers for a program.",
    write:
      "Scale: count in the smaller unit (nanoseconds instead of seconds) and multiply before dividing: `x * 1000 / y` for thousandths. User space divides what it shows.",
    bad: example("histogram ktime", "half.record(ktime() * 0.5);", "export const half = histogram();"),
    good: example("histogram ktime", "half.record(ktime() / 2);", "export const half = histogram();"),
  },
  EB1013: {
    title: "a bigint",
    why: "Integers of kernel TypeScript are exact to 64 bits as they are written: `18446744073709551615` is that number. There is nothing that `n` could add.",
    write: "The number without `n`.",
    bad: example("counter pid", "if (pid() > 5n) opens.inc();", "export const opens = counter();"),
    good: example("counter pid", "if (pid() > 5) opens.inc();", "export const opens = counter();"),
  },
  EB1014: {
    title: "a template that is not printed",
    why: "A text that is put together has no size that is known before, and no place to stand.",
    write: "`print(`…`)` sends the parts, and user space puts them together. Or send the values as fields of an event.",
    bad: example("counter str pid", `opens.inc(\`pid \${pid()}\`);`, OPENS),
    good: example("print pid", `print(\`pid \${pid()}\`);`),
  },
  EB1015: {
    title: "texts that are put together",
    why: "The sum of two texts has no size that is known before, and no place to stand.",
    write: "Send both as fields of an event, and join them in user space; or print them.",
    bad: example("counter str comm", 'opens.inc(comm() + "!");', OPENS),
    good: example("counter str comm", "opens.inc(comm());", OPENS),
  },
  EB1016: {
    title: "declarations of other modules, given on",
    why: "What a module exports is what user space sees of it: its own maps, rings, parameters and programs.",
    write: "Import them where they are wanted, from the module that declares them.",
  },
  EB1017: {
    title: "a variable outside of functions",
    why: "Between two runs of a program nothing is kept but what is in maps and globals, and those are shared by all CPUs.",
    write: "`const` for what never changes; `global(u64, 0)` for a value that programs change (`x.value`, `x.add(1)`).",
    bad: example("counter", "n = n + 1;\nopens.add(n);", "export const opens = counter();\nlet n = 0;"),
    good: example(
      "counter global u64",
      "n.add(1);\nopens.add(n.value);",
      "export const opens = counter();\nconst n = global(u64, 0);",
    ),
  },
  EB1018: {
    title: "something that is done outside of programs",
    why: "A module of the kernel does nothing when it is loaded: it declares types, maps and programs. What is done is done by programs, when their events happen.",
    write: "Move it into a program, or into user space.",
    bad: 'import { counter } from "skep/kernel";\n\nexport const opens = counter();\nopens.inc();\n',
    good: example("counter", "opens.inc();", "export const opens = counter();"),
  },
  EB1019: {
    title: "a declaration that is not known when the program is compiled",
    why: "Sizes, names and constants are part of the program's code. Nothing of the module is run to find out what they are.",
    write: "Literals, arithmetic of literals and of other constants. For what user space decides: `param(u32, 0)`.",
    bad: example(
      "counter pid",
      "if (pid() === me) opens.inc();",
      "export const opens = counter();\nconst me = process.pid;",
    ),
    good: example(
      "counter param pid u32",
      "if (pid() === me) opens.inc();",
      "export const opens = counter();\nexport const me = param(u32, 0);",
    ),
  },
  EB1020: {
    title: "a value that must be known when the program is compiled",
    why: "A size, a number of turns or an option becomes part of the program's code.",
    write: "A literal, or a `const` outside of functions that is computed of such.",
    bad: example(
      "counter str userStr pid",
      "opens.inc(userStr(ctx.filename, pid()));",
      "export const opens = counter(str(64));",
    ),
    good: example(
      "counter str userStr",
      "opens.inc(userStr(ctx.filename, 64));",
      "export const opens = counter(str(64));",
    ),
  },
  EB1021: {
    title: "an import of something that is not for the kernel",
    why: "Everything that is imported becomes part of the program: libraries of JavaScript cannot.",
    write: 'Import from "skep/kernel", from "btf:vmlinux" (types of the kernel) and from other `*.bpf.ts` files.',
    bad: 'import { parse } from "some-library";\n\nexport const a = 1;\n',
    good: "export const a = 1;\n",
  },
  EB1022: {
    title: "a value of JavaScript in kernel code",
    why: "Kernel code may stand in a file of JavaScript's own. It runs in the kernel all the same, and takes nothing along of what is around it but constants, functions, and what `skep/kernel` makes.",
    write:
      "`param(u32, 0)` for a value that JavaScript sets before the program is loaded, `global(u64, 0)` or a map for one that both change.",
  },
  EB1050: {
    title: "an aggregation of a one-liner that is used in two ways",
    why: "What a one-liner adds up is made of its first use: its kind (`count`, `sum`, `hist` …), and how many parts its key has. It is one map in the kernel, and the map has one form.",
    write:
      "Use it in one way, or give it another name: `count.opens[comm()]++` and `count.reads[pid()]++` are two, and so are `opens[comm()]++` and `reads[pid()]++`.",
  },
  EB1051: {
    title: "a one-liner that does not say when",
    why: "A program in the kernel runs when something happens. What stands outside of any program never would.",
    write:
      'Name the event: `tp("syscalls:sys_enter_openat", count[comm()]++)`, `profile({ hz: 99 }, count[comm()]++)`.',
  },
  EB1052: {
    title: "a histogram or mean that gets other values than it takes",
    why: "`hist`, `avg`, `min` and `max` record one value: `hist[key](value)`. `lhist` needs the range and the step of its buckets as well.",
    write: "`hist[comm()](ctx.ret)`, `avg(ctx.ret)`, `lhist[comm()](ctx.ret, 0, 1000, 50)`.",
  },
};
