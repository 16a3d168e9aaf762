// The streams of programs: what they print on stdout, and what the kernel says of them on stderr.
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Assembler,
  loadObject,
  ProgramFlag,
  ProgramStream,
  programDetails,
  r0,
  SystemError,
} from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest, machine } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";
import { stoppedConsumer } from "../support/stopped-consumer.ts";

const ENOMEM = 12;

/** Kernels may be unable to allocate where programs print (kmalloc_nolock): the one of the development host is so. */
function unless(): string | undefined {
  if (machine.virtual || !kernelIsAtLeast("6.18")) return undefined;
  using printer = load();
  const { retval } = printer.program.testRun();
  return retval === ENOMEM ? "this machine's kernel has no memory for what programs print (ENOMEM)" : undefined;
}

function load() {
  const name = kernelIsAtLeast("6.19") ? "print_now" : "print_before";
  const object = loadObject(fixture("streams.el"), { programs: [name] });
  const program = object.programs[name];
  assert.ok(program !== undefined);
  const counter = (which: string) => Number(object.variables[which]?.get());
  return {
    program,
    print: (count = 1) => {
      for (let i = 0; i < count; i++) program.testRun();
    },
    get lines() {
      return counter("lines");
    },
    get refused() {
      return counter("refused");
    },
    [Symbol.dispose]: () => object.close(),
  };
}

// The kfunc had a third name in 6.17.
const needs = { kernel: "6.18" } as const;
const prints = { ...needs, unless: unless() } as const;

kernelTest("what a program prints comes line by line", prints, () => {
  using printer = load();
  using stream = new ProgramStream(printer.program, "stdout");
  printer.print(3);
  const seen: string[] = [];
  assert.equal(
    stream.consume((line) => void seen.push(line), 1),
    1,
  );
  stream.consume((line) => void seen.push(line));
  assert.deepEqual(
    seen,
    [0, 1, 2].flatMap((number) => [`line ${number} of 7`, "and more"]),
  );
  assert.equal(stream.books.dropped, undefined);
  assert.throws(() => stream.lease(() => {}), /no lease/);
});

kernelTest("listening looks at intervals, and stops when it is aborted", prints, async () => {
  using printer = load();
  using stream = new ProgramStream(printer.program, "stdout", { everyMs: 5 });
  const controller = new AbortController();
  let seen = 0;
  stream.listen(
    () => {
      seen++;
    },
    { signal: controller.signal },
  );
  for (let i = 1; i <= 5; i++) {
    printer.print();
    for (let tries = 0; tries < 1000 && seen < 2 * i; tries++) await sleep(1);
    assert.equal(seen, 2 * i);
  }
  controller.abort();
  printer.print();
  await sleep(30);
  assert.equal(seen, 10);
  for await (const batch of stream) {
    assert.deepEqual(batch, ["line 5 of 7", "and more"]);
    break;
  }
  assert.throws(() => new ProgramStream(printer.program, "stdout", { everyMs: 0 }), TypeError);
});

kernelTest("a flood: attempted = delivered + what the program was refused", prints, () => {
  using printer = load();
  using stream = new ProgramStream(printer.program, "stdout", { dropped: () => printer.refused });
  printer.print(10_000);
  assert.ok(printer.refused > 0);
  const numbers: number[] = [];
  const take = () =>
    stream.consume((line) => {
      const number = /^line (\d+) of 7$/.exec(line)?.[1];
      if (number !== undefined) numbers.push(Number(number));
      else assert.equal(line, "and more");
    });
  while (take() > 0);
  printer.print(5);
  take();
  assert.equal(numbers.length, printer.lines - printer.refused);
  assert.equal(stream.books.delivered, 2 * numbers.length);
  assert.equal(stream.books.dropped, printer.refused);
  assert.deepEqual(numbers.slice(-5), [10_000, 10_001, 10_002, 10_003, 10_004]);
});

kernelTest("a slow consumer by each policy, aborted and closed: every line is in the books", prints, async () => {
  for (const backPressure of ["block", { dropOldest: 20 }, { sample: 5 }] as const) {
    using printer = load();
    const stream = new ProgramStream(printer.program, "stdout", { everyMs: 1, dropped: () => printer.refused });
    const controller = new AbortController();
    let batches = 0;
    printer.print(10);
    await assert.rejects(
      async () => {
        for await (const _ of stream.batches({ backPressure, size: 50, signal: controller.signal })) {
          if (++batches === 8) controller.abort();
          printer.print(200);
          await sleep(5);
        }
      },
      { name: "AbortError" },
    );
    while (stream.consume(() => {}) > 0);
    stream.close();
    const { delivered, dropped, displaced, skipped, undecoded, queued, abandoned } = stream.books;
    // A print is two lines.
    assert.equal(
      delivered + 2 * (dropped as number) + displaced + skipped + undecoded + queued + abandoned,
      2 * printer.lines,
      JSON.stringify(stream.books),
    );
  }
});

kernelTest(
  "a consumer that is stopped (SIGSTOP) for a while: what the program was refused is counted",
  prints,
  async () => {
    using printer = load();
    const { id } = programDetails(printer.program);
    const { books, rises } = await stoppedConsumer(["stream", `${id}`], {
      before: () => printer.print(100),
      meanwhile: () => printer.print(10_000),
      after: () => printer.print(100),
    });
    assert.ok(rises);
    assert.ok(printer.refused > 0);
    assert.equal(books.delivered, 2 * (printer.lines - printer.refused));
  },
);

kernelTest("stderr: the kernel reports a loop that it had to end", prints, () => {
  const a = new Assembler().label("again").mayGoto("out").ja("again").label("out").mov(r0, 0).exit();
  using object = loadObject({
    maps: {},
    programs: {
      endless: { type: "syscall", flags: ProgramFlag.sleepable, instructions: a.instructions(), license: "GPL" },
    },
  });
  using stream = new ProgramStream(object.programs.endless, "stderr");
  assert.equal(
    stream.consume(() => {}),
    0,
  );
  object.programs.endless.testRun();
  const seen: string[] = [];
  stream.consume((line) => void seen.push(line));
  assert.match(seen[0] ?? "", /^ERROR: Timeout detected for may_goto instruction/);
});

kernelTest(
  "older kernels: the error says since when there are streams",
  { kernel: "5.10", unless: kernelIsAtLeast("6.17") ? "this kernel has streams" : undefined },
  () => {
    using object = loadObject({
      maps: {},
      programs: {
        none: { type: "socket_filter", instructions: new Assembler().mov(r0, 0).exit().instructions(), license: "GPL" },
      },
    });
    assert.throws(
      () => new ProgramStream(object.programs.none, "stdout"),
      (error: unknown) => error instanceof SystemError && /need Linux 6\.17/.test(error.message),
    );
  },
);
