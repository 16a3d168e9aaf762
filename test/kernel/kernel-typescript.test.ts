// Kernel TypeScript from its user's side: modules as people write them, run by the built package in processes of their own, with
// what they saw of these processes themselves.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { possibleCpus, VerifierError } from "../../src/sdk/index.ts";
import { compileModule } from "../../src/sdk/kernel-typescript/compile-module.ts";
import { loadCompiled } from "../../src/sdk/kernel-typescript/load-compiled.ts";
import { refusal } from "../../src/sdk/kernel-typescript/refusal.ts";
import { hostTest, kernelTest } from "../support/kernel-test.ts";
import { Project, SHOW } from "../support/project.ts";

kernelTest("the hello of the README counts opened files by name", async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { openSync, closeSync } from "node:fs";
      import { load } from "skep";
      process.title = "skep-hello";
      const bpf = await load(import("./hello.bpf.ts"));
      const link = bpf.attach();
      for (let i = 0; i < 5; i++) closeSync(openSync("/proc/self/stat"));
      link.close();
      for (let i = 0; i < 5; i++) closeSync(openSync("/proc/self/stat"));
      show([bpf.maps.opens.get("skep-hello"), [...bpf.maps.opens].some(([name]) => name === "skep-hello"), bpf.losses]);
      bpf.close();
    `,
  }).take("hello.bpf.ts");
  assert.deepEqual(await project.json("app.js"), [[5, true, { opens: 0 }]]);
});

kernelTest("opensnoop: parameters, events with their content, one by one, in batches, by callback", async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { openSync, closeSync, constants } from "node:fs";
      import { setTimeout as wait } from "node:timers/promises";
      import { load } from "skep";
      import * as open from "./opensnoop.bpf.ts";
      const bpf = await load(open, { params: { targetPid: process.pid } });
      const link = bpf.attach();
      const touch = (...names) => names.forEach((name) => { try { closeSync(openSync(name, constants.O_RDWR)); } catch {} });
      touch("/no/such/skep-a", "/no/such/" + "x".repeat(300), "/no/such/skep-b");
      for await (const e of bpf.events.opened) {
        if (!e.file.startsWith("/no/such/")) continue;
        show({ ...e, ts: typeof e.ts === "bigint" && e.ts > 0n, pid: e.pid === process.pid });
        if (e.file === "/no/such/skep-a") break;
      }
      // What the loop was left before comes next.
      touch("/no/such/skep-c");
      await wait(10);
      for await (const batch of bpf.events.opened.batches()) {
        const files = batch.map((e) => e.file).filter((file) => file.startsWith("/no/such/"));
        show(files.map((file) => file.slice(0, 20) + " " + file.length));
        if (files.includes("/no/such/skep-c")) break;
      }
      const seen = new Promise((resolve) => {
        const end = bpf.events.opened.on((e) => { if (e.file === "/no/such/skep-d") { end[Symbol.dispose](); resolve(e.comm); } });
      });
      touch("/no/such/skep-d");
      show(await seen);
      show([bpf.events.opened.dropped, bpf.losses, link.closed]);
      bpf.close();
      show(link.closed);
    `,
  }).take("opensnoop.bpf.ts");
  const [first, ...others] = (await project.json("app.js")) as unknown[];
  const { flags, uid, ...event } = first as { flags: number; uid: number };
  assert.deepEqual(event, { ts: true, pid: true, comm: "node", file: "/no/such/skep-a" });
  assert.equal(flags & 3, 2);
  assert.equal(uid, 0);
  const rest = others.slice(0, -3).flat();
  assert.deepEqual(rest, [`/no/such/${"x".repeat(11)} 255`, "/no/such/skep-b 15", "/no/such/skep-c 15"]);
  assert.deepEqual(others.slice(-3), ["node", [0, { opened: 0 }, false], true]);
});

kernelTest("biolatency loads, attaches and reads as histograms by device", async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { load } from "skep";
      const bpf = await load(import("./biolatency.bpf.ts"));
      const link = bpf.attach();
      for (const [dev, h] of bpf.maps.latencyUs) if (!(h.count > 0 && h.p(99) >= h.p(50))) throw new Error(dev + " " + h.count);
      show([Object.keys(bpf.maps), Object.keys(bpf.programs), link.description]);
      bpf.close();
    `,
  }).take("biolatency.bpf.ts");
  assert.deepEqual(await project.json("app.js"), [[["latencyUs"], ["complete", "issue"], "2 programs of a module"]]);
});

kernelTest("an LSM program refuses to open a protected file, and tells who wanted to", { attach: "lsm" }, async () => {
  using project = new Project({
    "secret.txt": "secret\n",
    "app.js": `${SHOW}
      import { readFileSync, statSync } from "node:fs";
      import { load } from "skep";
      process.title = "intruder";
      const bpf = await load(import("./lsm.bpf.ts"));
      const link = bpf.attach();
      const read = () => { try { return readFileSync("secret.txt", "utf8"); } catch (error) { return error.code; } };
      const before = read();
      bpf.maps.protectedInodes.set(BigInt(statSync("secret.txt").ino), true);
      const during = read();
      bpf.maps.allowed.set("intruder", true);
      show([before, during, read()]);
      bpf.events.denied.consume((e) => show({ ...e, pid: e.pid === process.pid, ppid: e.ppid === process.ppid }));
      bpf.close();
    `,
  }).take("lsm.bpf.ts");
  assert.deepEqual(await project.json("app.js"), [
    ["secret\n", "EPERM", "secret\n"],
    { pid: true, ppid: true, comm: "intruder", name: "secret.txt" },
  ]);
});

/** Everything that holds something, filled by a program that JavaScript runs. */
const ALL = `
  import { arrayMap, avg, be32, bool, bytes, comm, counter, cpu, global, hash, histogram, i64, linear, max, min, param, pid, print,
    ringbuf, str, struct, sum, syscall, u8, u32, u64, u64n, array } from "skep/kernel";
  import { half } from "./math.bpf.ts";
  export const add = param(u32, 5);
  export const wide = param(u64, 1);
  export const prefix = param(str(16), "none");
  export const seen = global(u64, 7);
  export const state = global(struct({ a: u8, b: i64 }), { a: 1, b: -2 });
  export const calls = counter();
  export const byName = counter(str(16));
  export const table = hash(struct({ pid: u32, big: u64 }), struct({ at: u64n, address: be32, ok: bool, raw: bytes(3), list: array(u32, 2) }));
  export const events = ringbuf(struct({ pid: u32, name: str(16), half: u64 }));
  export const sizes = histogram();
  export const fine = histogram(u32, { bits: 2 });
  export const steps = linear({ min: 0, max: 100, step: 10 });
  export const mean = avg();
  export const least = min();
  export const most = max(u32);
  export const total = sum(u32);
  export const slots = arrayMap(u64, 4);
  export const perCpu = arrayMap(u64, 2, { perCpu: true });
  export const run = syscall(struct({ a: u32, b: u32 }), (ctx) => {
    calls.inc();
    byName.inc(comm());
    byName.add("other", 3);
    table.set({ pid: pid(), big: 1 }, { at: 9, address: 0x7f000001, ok: true, raw: [1, 2, 3], list: [4, 5] });
    seen.add(3);
    events.emit({ pid: pid(), name: prefix, half: half(ctx.b) + wide });
    sizes.record(ctx.a);
    fine.record(1, ctx.b);
    steps.record(ctx.a);
    mean.record(ctx.a);
    least.record(ctx.a);
    most.record(1, ctx.b);
    total.add(2, i64(ctx.a) - 10);
    slots.ref(1).add(ctx.a);
    perCpu.ref(1).add(1);
    print(\`\${comm()} has \${ctx.a}\`, cpu() < 4096);
    const result = ctx.a + ctx.b + add;
    ctx.b += 1;
    ctx.a = 77;
    return result;
  });
`;
const MATH = `
  import type { u64 } from "skep/kernel";
  export function half(n: u64): u64 {
    return n / 2;
  }
`;

kernelTest(
  "every kind of map, aggregation, variable and output, in a program that JavaScript runs",
  { kernel: "5.14" },
  async () => {
    using project = new Project({
      "all.bpf.ts": ALL,
      "math.bpf.ts": MATH,
      "app.js": `${SHOW}
      import { load } from "skep";
      import * as all from "./all.bpf.ts";
      const bpf = await load(all, { params: { add: 100, wide: 1000, prefix: "mine" } });
      const { least, mean, most } = bpf.maps;
      show([least.value ?? null, mean.value ?? null, most.get(1) ?? null, bpf.maps.calls.value, bpf.maps.sizes.value.count]);
      show([bpf.programs.run.run({ a: 20, b: 300 }), bpf.programs.run.run({ a: 5, b: 3 })]);
      show([bpf.maps.calls.value, bpf.maps.byName.get("node"), [...bpf.maps.byName].length, bpf.maps.byName.get("other")]);
      show([...bpf.maps.table].map(([key, value]) => [{ ...key, pid: key.pid === process.pid }, value]));
      show([bpf.globals.seen.value, bpf.globals.state.value]);
      bpf.globals.seen.value = 50n;
      show([bpf.globals.seen.value, typeof bpf.globals.seen.value]);
      show([least.value, mean.value, most.get(1), most.get(2) ?? null, [...bpf.maps.total], [...bpf.maps.slots]]);
      show([bpf.maps.perCpu.length, bpf.maps.perCpu.get(1).reduce((a, b) => a + b), bpf.maps.perCpu.get(0).length]);
      show([bpf.maps.sizes.value.buckets, bpf.maps.fine.get(1).buckets, bpf.maps.fine.get(9).count, bpf.maps.steps.value.buckets]);
      show([bpf.maps.sizes.value.p(1), bpf.maps.sizes.value.p(100), bpf.maps.fine.get(9).p(50) ?? null]);
      bpf.events.events.consume((e) => show({ ...e, pid: e.pid === process.pid }));
      bpf.prints.consume(show);
      least.clear(); mean.clear(); bpf.maps.byName.clear(); bpf.maps.sizes.clear();
      show([least.value ?? null, mean.value ?? null, [...bpf.maps.byName], bpf.maps.sizes.value.count]);
      const refused = (work) => { try { work(); return "taken"; } catch (error) { return error.name + ": " + error.message.split(": it cannot")[0]; } };
      show([refused(() => bpf.maps.slots.get(4)), refused(() => bpf.programs.run.run({ a: -1, b: 0 }))]);
      show(Object.values(bpf.losses).every((lost) => lost === 0));
      bpf.close();
      bpf.close();
      show([refused(() => bpf.events.events.reader), refused(() => bpf.attach())]);
    `,
    });
    const result = (a: number, b: number) => ({ value: a + b + 100, context: { a: 77, b: b + 1 } });
    assert.deepEqual(await project.json("app.js"), [
      [null, null, null, 0, 0],
      [result(20, 300), result(5, 3)],
      [2, 2, 2, 6],
      [
        [
          { pid: true, big: 1 },
          { at: 9, address: 0x7f000001, ok: true, raw: [1, 2, 3], list: [4, 5] },
        ],
      ],
      [13, { a: 1, b: -2 }],
      [50, "bigint"],
      [5, 12.5, 300, null, [[2, 5]], [0, 25, 0, 0]],
      [2, 2, possibleCpus()],
      [
        [
          { from: 4, to: 8, count: 1 },
          { from: 16, to: 32, count: 1 },
        ],
        [
          { from: 3, to: 4, count: 1 },
          { from: 256, to: 320, count: 1 },
        ],
        0,
        [
          { from: 0, to: 10, count: 1 },
          { from: 20, to: 30, count: 1 },
        ],
      ],
      [6, 24, null],
      { pid: true, name: "mine", half: 1150 },
      { pid: true, name: "mine", half: 1001 },
      "node has 20 true",
      "node has 5 true",
      [null, null, [], 0],
      [
        'RangeError: Array map "slots" has 4 entries, from 0 on: there is no 4.',
        "CodecError: value.a is -1 (number), which does not fit u32.",
      ],
      true,
      ['ClosedError: The events of map "events" is closed', "ClosedError: The module is closed"],
    ]);
  },
);

hostTest(
  "parameters that are none, or do not fit, are refused before anything is loaded",
  { kernel: "5.14" },
  async () => {
    using project = new Project({
      "all.bpf.ts": ALL,
      "math.bpf.ts": MATH,
      "app.js": `${SHOW}
      import { load, openFds, trackFds } from "skep";
      import * as all from "./all.bpf.ts";
      trackFds();
      for (const params of [{ ad: 1 }, { add: -1 }, { add: "1" }, { wide: 1.5 }, { prefix: "longer than sixteen" }, { calls: 1 }])
        show(await load(all, { params }).then(() => "loaded", ({ code, message }) => [code, message]));
      show(await load(all, { signal: AbortSignal.abort() }).catch(({ name }) => name));
      const abort = new AbortController();
      const bpf = await load(all, { signal: abort.signal });
      abort.abort();
      try { bpf.programs.run.run({ a: 1, b: 1 }); } catch (error) { show(error.name); }
      show(openFds().length);
    `,
    });
    assert.deepEqual(await project.json("app.js"), [
      ["SKEP_VARIABLE", 'The module has no parameter "ad" (it has: add, prefix, wide).'],
      ["SKEP_VARIABLE", 'Parameter "add" cannot be -1: value is -1 (number), which does not fit u32.'],
      ["SKEP_VARIABLE", 'Parameter "add" cannot be 1: value is "1" (string), which does not fit u32.'],
      ["SKEP_VARIABLE", 'Parameter "wide" cannot be 1.5: value is 1.5 (number), which does not fit u64.'],
      [
        "SKEP_VARIABLE",
        'Parameter "prefix" cannot be longer than sixteen: value is "longer than sixteen" (string), which does not fit str(16) with its closing NUL.',
      ],
      ["SKEP_VARIABLE", 'The module has no parameter "calls" (it has: add, prefix, wide).'],
      "AbortError",
      "ClosedError",
      0,
    ]);
  },
);

hostTest("code that is wrong is shown where it stands; sources that cannot be found are asked for", async () => {
  using project = new Project({
    "wrong.bpf.ts": `import { hash, ktime, pid, syscall, u32, u64 } from "skep/kernel";
const started = hash(u32, u64);
export const run = syscall(() => {
  const t = started.get(pid());
  return ktime() - t;
});
`,
    "plain.js": `import { counter } from "skep/kernel";\nexport const calls = counter();\n`,
    "app.js": `${SHOW}
      import { load } from "skep";
      const told = (promise) => promise.then(() => "loaded", ({ code, message, diagnostics }) => [code, message, diagnostics?.length]);
      show(await told(load(import("./wrong.bpf.ts"))));
      show((await told(load(import("./plain.js"))))[0]);
      show(await told(load({ a: 1 })));
      show((await told(load(import("./plain.js"), { source: "/no/such.bpf.ts" })))[0]);
      show((await told(load(import("./plain.js"), { source: { name: "x.bpf.ts", text: "export const other = 1;" } })))[1]);
    `,
  });
  const [wrong, plain, empty, missing, other] = (await project.json("app.js")) as [string[], ...unknown[]];
  assert.equal(wrong[0], "SKEP_COMPILE");
  assert.match(
    wrong[1] ?? "",
    /^wrong\.bpf\.ts:5:20 - error EB2101: `t` may be undefined here\.\n\n {2}5 │ {3}return ktime\(\) - t;\n {4}│ {20}\^/,
  );
  assert.equal(wrong[2], 1);
  assert.equal(plain, "SKEP_SOURCE");
  assert.deepEqual(empty, [
    "SKEP_SOURCE",
    'The module exports nothing of "skep/kernel" (a): there is no program to load.',
    null,
  ]);
  assert.equal(missing, "SKEP_SOURCE");
  assert.match(String(other), /exports map "calls", and the source that was compiled has none of this name/);
});

hostTest("what was compiled is kept, and used without the compiler", { kernel: "5.14" }, async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { load } from "skep";
      import { counter, syscall } from "skep/kernel";
      const text = 'import { counter, syscall } from "skep/kernel"; export const calls = counter(); export const run = syscall(() => { calls.inc(); return 3; });';
      const bpf = await load({ calls: counter(), run: syscall(() => 3) }, { source: { name: "/given.bpf.ts", text }, cache: process.argv[2] !== "no" });
      show([bpf.programs.run.run().value, bpf.maps.calls.value, process.report.getReport().sharedObjects.some((file) => file.includes("parser"))]);
      bpf.close();
    `,
  });
  const go = () => project.json("app.js", { register: false });
  assert.deepEqual(await go(), [[3, 1, true]]);
  assert.deepEqual(await go(), [[3, 1, false]]);
  // A folder that nothing can be kept in is no obstacle.
  writeFileSync(project.file("file"), "");
  assert.deepEqual(await project.json("app.js", { register: false, env: { XDG_CACHE_HOME: project.file("file") } }), [
    [3, 1, true],
  ]);
});

kernelTest("raw tracepoints, tp_btf, stacks and storage of this very process", async () => {
  using project = new Project({
    "calls.bpf.ts": `
      import { counter, hash, param, pid, rawTracepoint, stackTraces, task, taskStorage, tpBtf, u32, u64, i64 } from "skep/kernel";
      export const target = param(u32, 0);
      export const raw = counter(u32);
      export const traced = counter(u32);
      export const stacks = stackTraces(64);
      export const ids = hash(u32, i64);
      export const onRaw = rawTracepoint("sys_enter", (ctx) => {
        if (pid() !== target) return;
        raw.inc(u32(ctx.args[1]));
      });
      export const onTraced = tpBtf("sys_enter", (regs, id) => {
        if (pid() !== target || id !== 110) return;
        traced.inc(u32(task().tgid));
        ids.set(0, stacks.id());
        ids.set(1, stacks.userId());
      });
    `,
    "app.js": `${SHOW}
      import { load } from "skep";
      const bpf = await load(import("./calls.bpf.ts"), { params: { target: process.pid } });
      const link = bpf.attach();
      const before = bpf.maps.raw.get(110);
      for (let i = 0; i < 10; i++) process.ppid;
      const [kernel, user] = [bpf.maps.ids.get(0), bpf.maps.ids.get(1)];
      show([before, bpf.maps.raw.get(110), bpf.maps.traced.get(process.pid), kernel >= 0n && bpf.maps.stacks.get(kernel).length > 0,
        user < 0n || bpf.maps.stacks.get(user).length > 0, bpf.maps.stacks.get(-14n), bpf.maps.stacks.get(63).length <= 127]);
      bpf.close();
    `,
  });
  if (process.arch !== "x64") return;
  assert.deepEqual(await project.json("app.js"), [[0, 10, 10, true, true, [], true]]);
});

kernelTest("profile and interval run by time, on perf events that attach() opens", async () => {
  using project = new Project({
    "time.bpf.ts": `
      import { counter, cpu, interval, param, pid, profile, u32 } from "skep/kernel";
      export const target = param(u32, 0);
      export const samples = counter();
      export const ticks = counter();
      export const sample = profile({ hz: 997 }, () => { if (pid() === target) samples.inc(); });
      export const tick = interval({ ms: 5 }, () => ticks.inc());
    `,
    "app.js": `${SHOW}
      import { load } from "skep";
      const bpf = await load(import("./time.bpf.ts"), { params: { target: process.pid } });
      const link = bpf.attach();
      // As long as it takes: machines are slow.
      while (bpf.maps.samples.value < 5 || bpf.maps.ticks.value < 5) {}
      link.close();
      const ticks = bpf.maps.ticks.value;
      const one = bpf.programs.sample.attach({ pid: process.pid, cpus: [-1] });
      const samples = bpf.maps.samples.value;
      while (bpf.maps.samples.value < samples + 3) {}
      show([bpf.maps.ticks.value === ticks]);
      bpf.close();
    `,
  });
  assert.deepEqual(await project.json("app.js"), [[true]]);
});

hostTest("kernel code in a file of JavaScript's own", { program: "syscall" }, async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { readFileSync } from "node:fs";
      import { load } from "skep";
      import { counter, param, pid, syscall, tracepoint, u32 } from "skep/kernel";
      const name = readFileSync("/proc/self/comm", "utf8");
      const step = param(u32, 1);
      const calls = counter(u32);
      const MOST = 3;
      function more(x) { return x + name.length; }
      const run = syscall(() => {
        calls.add(pid(), step);
        return MOST;
      });
      const unwanted = tracepoint("no:such", () => missing());
      const source = new URL(import.meta.url);
      const bpf = await load({ step, calls, run }, { source, params: { step: 5 } });
      show([bpf.programs.run.run().value, bpf.maps.calls.get(process.pid), Object.keys(bpf.object.programs), more(1) > 1]);
      bpf.close();
      const error = await load({ unwanted }, { source }).catch(({ name, message }) => [name, message.split("\\n")[0]]);
      show(error);
    `,
  });
  assert.deepEqual(await project.json("app.js"), [
    [3, 5, ["run"], true],
    ["CompileError", "app.js:15:35 - error TS2345: This kernel has no tracepoint no:such."],
  ]);
});

kernelTest("uprobes at functions of libc, with arguments and results", { attach: "uprobes" }, async () => {
  using project = new Project({
    "user.bpf.ts": `
      import { counter, param, pid, u32, uprobe, uretprobe } from "skep/kernel";
      export const target = param(u32, 0);
      export const calls = counter();
      export const results = counter(u32);
      export const onCall = uprobe("libc", "getppid", () => { if (pid() === target) calls.inc(); });
      export const onReturn = uretprobe("libc", "getppid", (ctx) => { if (pid() === target) results.inc(u32(ctx.ret)); });
    `,
    "app.js": `${SHOW}
      import { load } from "skep";
      const bpf = await load(import("./user.bpf.ts"), { params: { target: process.pid } });
      const link = bpf.attach();
      for (let i = 0; i < 4; i++) process.ppid;
      show([bpf.maps.calls.value, bpf.maps.results.get(process.ppid), [...bpf.maps.results].length]);
      bpf.close();
    `,
  });
  assert.deepEqual(await project.json("app.js"), [[4, 5, 1]]);
});

kernelTest("a program that the kernel refuses although it was compiled is told by its source", async () => {
  const text = `import { hash, rawTracepoint, u32, u64 } from "skep/kernel";
const table = hash(u32, u64);
export const run = rawTracepoint("sys_enter", () => {
  const seen = table.get(1);
  if (seen === undefined) return 0;
  return seen;
});
`;
  const sources = { entry: "/refused.bpf.ts", files: new Map([["/refused.bpf.ts", text]]) };
  const compiled = await compileModule(sources, { cache: false });
  const program = compiled.spec.programs["run"];
  assert.ok(program);
  // What the compiler would never do: the test of what was looked up compares with 1.
  const JUMP_IF = new Set([0x15, 0x55]);
  const instructions = program.instructions.map((instruction) =>
    JUMP_IF.has(instruction.opcode) && instruction.dst === 0 ? { ...instruction, imm: 1 } : instruction,
  );
  assert.notDeepEqual(instructions, program.instructions);
  const broken = { ...compiled.spec, programs: { run: { ...program, instructions } } };
  const error = (() => {
    try {
      loadCompiled({}, { ...compiled, spec: broken }, {}).close();
    } catch (thrown) {
      return thrown;
    }
    return undefined;
  })();
  assert.ok(error instanceof VerifierError);
  const told = await refusal(error, broken, sources);
  assert.equal(told.code, "SKEP_COMPILE");
  assert.equal(told.cause, error);
  assert.equal(told.diagnostics[0]?.code, "EB9001");
  assert.match(told.message, /^\/refused\.bpf\.ts:[456]:\d+ - error EB9001: /);
  assert.match(told.message, /\n {2}[456] │ /);
});
