// skep run, check, dis, explain: what they print and return. What is attached looks at the command's own process alone.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { loadObject, VerifierError } from "../../src/sdk/index.ts";
import { compileText, rejectionText } from "../../src/tools/run/index.ts";
import { AS_NOBODY, environment, publicCopy, run, Scratch, skep } from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { hostTest, kernelTest } from "../support/kernel-test.ts";

/** The objects that `skep run --json` printed. */
async function lines(args: readonly string[], command: readonly string[]): Promise<Record<string, unknown>[]> {
  const { code, stdout, stderr } = await skep(["run", "--json", ...args, "--", ...command]);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, "");
  return stdout
    .trim()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const OPEN = "syscalls:sys_enter_openat";
const READ = "syscalls:sys_exit_read";

kernelTest("skep run -e counts by key, and prints the greatest first", async () => {
  using scratch = new Scratch();
  const [a, b] = [scratch.file("a"), scratch.file("b")];
  for (const file of [a, b]) writeFileSync(file, "x\n");
  const source = `tp("${OPEN}", pid() === cpid && count[userStr(ctx.filename)]++)`;
  const seen = await lines(["-e", source], ["cat", a, b, a]);
  const count = seen.find(({ map }) => map === "count") as { kind: string; rows: { key: string; value: number }[] };
  assert.equal(count.kind, "counter");
  const of = (key: string) => count.rows.find((row) => row.key === key)?.value;
  assert.deepEqual([of(a), of(b)], [2, 1]);
  assert.deepEqual(seen.at(-1), { lost: { count: 0 }, skipped: {} });
  const { stdout } = await skep(["run", "-q", "-e", source, "--top", "1", "--", "cat", a, b, a]);
  assert.match(
    stdout,
    /^x\nx\nx\ncount\n +count\n {2}\S+ +2 +[\d.]+% {2}\|@{30}\|\n {2}\.\.\. and \d+ more\n\nlost: nothing\n$/,
  );
});

kernelTest("skep run -e adds up, averages and spreads", async () => {
  using scratch = new Scratch();
  const file = scratch.file("input");
  writeFileSync(file, "x".repeat(1000));
  // Reads of 100 bytes are dd's own: the loader reads other sizes.
  const source = `tp("${READ}", (ctx) => {
    if (pid() !== cpid || ctx.ret !== 100) return;
    count++; sum += ctx.ret; avg(ctx.ret); min(ctx.ret); max[comm()](ctx.ret); hist(ctx.ret); lhist[pid()](ctx.ret, 0, 200, 50);
    sum.twice[comm(), uid()] += ctx.ret * 2;
  })`;
  const seen = await lines(["-e", source], ["dd", `if=${file}`, "of=/dev/null", "bs=100", "status=none"]);
  const rows = (name: string) => (seen.find(({ map }) => map === name) as { rows: unknown[] } | undefined)?.rows;
  assert.deepEqual(rows("count"), [{ value: 10 }]);
  assert.deepEqual(rows("sums"), [{ value: 1000 }]);
  assert.deepEqual(rows("averages"), [{ value: 100 }]);
  assert.deepEqual(rows("minimum"), [{ value: 100 }]);
  assert.deepEqual(rows("maximum"), [{ key: "dd", value: 100 }]);
  assert.deepEqual(rows("twice"), [{ key: { comm: "dd", uid: 0 }, value: 2000 }]);
  assert.deepEqual(rows("hist"), [
    { count: 10, p50: 92, p90: 118, p99: 124, buckets: [{ low: 64, high: 128, count: 10 }] },
  ]);
  const [linear] = rows("lhist") as { buckets: unknown[] }[];
  assert.deepEqual(linear?.buckets, [{ low: 100, high: 150, count: 10 }]);
});

kernelTest("skep run shows events of rings in columns, and lines that are printed", async () => {
  using scratch = new Scratch();
  const [file, module] = [scratch.file("opened"), scratch.file("opens.bpf.ts")];
  writeFileSync(file, "");
  writeFileSync(
    module,
    `import { comm, param, pid, print, ringbuf, str, struct, tracepoint, u32, userStr } from "skep/kernel";
export const cpid = param(u32, 0);
export const suffix = param(u32, 7);
export const opened = ringbuf(struct({ pid: u32, comm: str(16), file: str(128), suffix: u32 }));
export const onOpen = tracepoint("${OPEN}", (ctx) => {
  if (pid() !== cpid) return;
  opened.emit({ pid: pid(), comm: comm(), file: userStr(ctx.filename), suffix });
  print(\`\${comm()} opens \${userStr(ctx.filename)}\`);
});
`,
  );
  const seen = await lines([module, "--param", "suffix=0x10"], ["cat", file]);
  const event = seen.map(({ event: one }) => one as Record<string, unknown>).find((one) => one?.["file"] === file);
  assert.deepEqual([event?.["comm"], event?.["suffix"]], ["cat", 16]);
  assert.ok(seen.some(({ print }) => print === `cat opens ${file}`));
  assert.deepEqual(seen.at(-1), { lost: { opened: 0, print: 0 }, skipped: {} });
  const { stdout } = await skep(["run", "-q", module, "--", "cat", file]);
  assert.match(stdout, / +pid {2}comm +file +suffix\n/);
  assert.match(stdout, new RegExp(`\\n +\\d+ {2}cat +${file} +7\\n`));
});

kernelTest("skep run counts what was lost, exactly", async () => {
  using scratch = new Scratch();
  const module = scratch.file("flood.bpf.ts");
  writeFileSync(
    module,
    `import { counter, param, pid, range, ringbuf, str, struct, tracepoint, u32 } from "skep/kernel";
export const cpid = param(u32, 0);
export const big = ringbuf(struct({ text: str(1000), number: u32 }), { bytes: 4096 });
export const attempted = counter();
export const onOpen = tracepoint("${OPEN}", () => {
  if (pid() !== cpid) return;
  for (const i of range(0, 20, { atMost: 20 })) {
    attempted.inc();
    big.emit({ text: "x", number: u32(i) });
  }
});
`,
  );
  const seen = await lines([module], ["cat", "/dev/null"]);
  const events = seen.filter(({ ring }) => ring === "big").length;
  const attempted = (seen.find(({ map }) => map === "attempted") as { rows: { value: number }[] }).rows[0]?.value ?? 0;
  const { lost } = seen.at(-1) as { lost: { big: number } };
  assert.ok(lost.big > 0 && events > 0 && attempted % 20 === 0, JSON.stringify({ events, attempted, lost }));
  assert.equal(events + lost.big, attempted);
});

kernelTest("skep run ends with Ctrl-C, after a time, with its command", async () => {
  const source = `tp("${OPEN}", pid() === 1 && count++); interval({ ms: 10 }, ticks++)`;
  const { code, stdout } = await skep(["run", "-e", source], {
    started(child) {
      child.stderr?.on("data", (text: Buffer) => {
        if (text.includes("2 programs are attached; Ctrl-C ends")) void wait(200).then(() => child.kill("SIGINT"));
      });
    },
  });
  assert.equal(code, 0);
  const ticks = Number(/^ticks\n {2}([\d,]+)$/m.exec(stdout)?.[1]);
  assert.ok(ticks > 0, stdout);
  const timed = await skep(["run", "-q", "--for", "0.1", "-e", source]);
  assert.deepEqual([timed.code, timed.stderr], [0, ""]);
  assert.match(timed.stdout, /lost: nothing\n$/);
  assert.equal((await skep(["run", "-q", "-e", source, "--", "sh", "-c", "exit 7"])).code, 7);
  assert.equal((await skep(["run", "-q", "-e", source, "--", "sh", "-c", "kill -TERM $$"])).code, 143);
  const own = await skep(["run", "-q", "-e", "interval({ ms: 20 }, () => { ticks++; exit(); })"]);
  assert.deepEqual([own.code, own.stderr], [0, ""]);
  assert.match(own.stdout, /^\n?ticks\n {2}\d+\n\nlost: nothing\n$/);
  const missing = await skep(["run", "-q", "-e", source, "--", "no-such-command"]);
  assert.equal(missing.code, 127);
  assert.match(missing.stderr, /^skep run: Cannot run no-such-command/);
});

kernelTest("skep run -e at a probe that is written into a program", { attach: "uprobes", kernel: "5.15" }, async () => {
  if (process.arch !== "x64") return;
  const program = fixture("usdt");
  const source = `usdt("${program}", "skep", "site", count[ctx.args[0], ctx.args[1]]++)`;
  const seen = await lines(["-e", source], ["sh", "-c", `echo sites 5 | ${program}`]);
  const { rows } = seen.find(({ map }) => map === "count") as { rows: { key: unknown; value: number }[] };
  const pairs = rows.map(({ key, value }) => [...Object.values(key as object).map(Number), value]);
  assert.deepEqual(
    pairs.sort(([a = 0], [b = 0]) => a - b),
    [
      [-17, 4711, 1],
      [5, 10, 1],
      [6, 12, 1],
    ],
  );
});

kernelTest("skep run goes through an iterator once, and that is the run", { attach: "iterators" }, async () => {
  const source = `iter("task", ({ task }) => { if (!task) return; count++; if (u32(task.pid) === ${process.pid}) print("here"); })`;
  const { code, stdout, stderr } = await skep(["run", "--json", "-e", source]);
  assert.equal(code, 0, stderr);
  const seen = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(seen[0], { print: "here" });
  assert.ok(seen[1].rows[0].value > 1);
  assert.equal(seen.length, 3);
});

kernelTest("skep run samples by profile", async () => {
  const busy = "const end = Date.now() + 500; while (Date.now() < end);";
  const seen = await lines(["-e", "profile({ hz: 99 }, pid() === cpid && count[comm()]++)"], ["node", "-e", busy]);
  const rows = (seen.find(({ map }) => map === "count") as { rows: { value: number }[] }).rows;
  assert.ok(rows.reduce((sum, { value }) => sum + value, 0) > 5, JSON.stringify(rows));
});

hostTest("skep run says what is wrong, in a sentence or at the place", async () => {
  using scratch = new Scratch();
  const module = scratch.file("m.bpf.ts");
  writeFileSync(module, 'import { param, u8 } from "skep/kernel";\nexport const small = param(u8, 1);\n');
  const cases: readonly [readonly string[], number, RegExp][] = [
    [["run", scratch.file("none.bpf.ts")], 1, /^skep: Cannot read .*none\.bpf\.ts: there is no such file\.\n$/],
    [["run", "-e", "tp('a"], 1, /^-e:1:\d+ - error EB1000: /],
    [["run", "-e", "tp('syscalls:sys_enter_opennat', count++)"], 1, /no tracepoint syscalls:sys_enter_opennat/],
    [["run", "-e", "count++"], 1, /^-e:1:1 - error EB1051: /],
    [["run", module, "--param", "large=1"], 1, /^skep: There is no parameter "large" \(there is small\)/],
    [["run", module, "--param", "small=300"], 1, /^skep: .*parameter small/],
    [["run", module, "--param", "small"], 1, /^skep: A parameter is given as name=value, not "small"/],
    [["run", module], 1, /^skep: Nothing of the module is attached to anything/],
    [["run"], 2, /^skep run: Name one file/],
    [["run", module, "-e", "x"], 2, /^skep run: Name one file/],
    [["run", module, "--"], 2, /^skep run: Behind -- stands a command/],
    [["run", module, "--for", "soon"], 2, /^skep run: --for is a number/],
    [["run", "--tea"], 2, /^skep run: /],
  ];
  for (const [args, wanted, words] of cases) {
    const { code, stderr, stdout } = await skep(args);
    assert.equal(code, wanted, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, words);
    assert.equal(stdout, "");
    assert.doesNotMatch(stderr, /^ {4}at /m);
  }
  const json = await skep(["run", "--json", "-e", "count++"]);
  const { ok, files } = JSON.parse(json.stdout) as { ok: boolean; files: { diagnostics: { code: string }[] }[] };
  assert.deepEqual([json.code, ok, files[0]?.diagnostics[0]?.code], [1, false, "EB1051"]);
});

hostTest("skep check tells what is wrong and right; without rights, too", async () => {
  using scratch = new Scratch();
  const [right, wrong] = [scratch.file("right.bpf.ts"), scratch.file("wrong.bpf.ts")];
  const module = (body: string) =>
    `import { counter, tracepoint } from "skep/kernel";\nexport const hits = counter();\nexport const a = tracepoint("${OPEN}", (ctx) => {\n  ${body}\n});\n`;
  writeFileSync(right, module("hits.add(ctx.mode);"));
  writeFileSync(wrong, module("hits.add(ctx.mood);"));
  const fine = await skep(["check", right]);
  assert.deepEqual([fine.code, fine.stderr], [0, ""]);
  assert.match(fine.stdout, /right\.bpf\.ts: right \(1 program, \d+ instructions\)\n$/);
  const both = await skep(["check", right, wrong]);
  assert.equal(both.code, 1);
  assert.match(
    both.stdout,
    /wrong\.bpf\.ts:4:12 - error TS2339: .*\n\n {2}4 │ {3}hits\.add\(ctx\.mood\);\n {4}│ +\^{8}\n/,
  );
  const json = await skep(["check", "--json", wrong]);
  const report = JSON.parse(json.stdout) as { schema: string; files: { diagnostics: Record<string, unknown>[] }[] };
  assert.deepEqual([json.code, report.schema], [1, "skep.check/1"]);
  const [diagnostic] = report.files[0]?.diagnostics ?? [];
  assert.deepEqual([diagnostic?.["code"], diagnostic?.["line"], diagnostic?.["column"]], ["TS2339", 4, 12]);
  assert.equal((await skep(["check"])).code, 2);
  assert.equal((await skep(["check", scratch.file("none")])).code, 1);
});

hostTest("skep check for another kernel: recorded, or by its types", async () => {
  using scratch = new Scratch();
  const [recorded, module, types] = [scratch.file("this.target"), scratch.file("a.bpf.ts"), scratch.file("vmlinux")];
  const source = (of: string) =>
    `import { counter, task, tracepoint, u32 } from "skep/kernel";\nexport const n = counter(u32);\nexport const p = ${of};\n`;
  writeFileSync(module, source('tracepoint("sched:sched_switch", (ctx) => n.inc(u32(ctx.next_pid + task().tgid)))'));
  const written = await skep(["check", "--record-target", recorded]);
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stdout, /this\.target: \d+ tracepoints, \d+ KiB\n$/);
  const here = await skep(["check", module]);
  const there = await skep(["check", "--target", recorded, module]);
  assert.equal(there.code, 0, there.stdout + there.stderr);
  // The same kernel is compiled for in the same way.
  assert.equal(there.stdout.replace(/ for Linux \S+/, ""), here.stdout);
  writeFileSync(types, readFileSync("/sys/kernel/btf/vmlinux"));
  assert.match((await skep(["check", "-t", types, module])).stderr, /say it with --release/);
  const unknown = await skep(["check", "-t", types, "--release", "6.1", module]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /The fields of tracepoint sched:sched_switch are not in the kernel's types/);
  writeFileSync(
    module,
    source('tpBtf("sched_switch", (_, prev) => n.inc(u32(prev.pid + prev.none)))').replace("tracepoint", "tpBtf"),
  );
  const both = await skep(["check", "--json", "-t", types, "-t", recorded, "--release", "6.1", module]);
  const { ok, files } = JSON.parse(both.stdout) as {
    ok: boolean;
    files: { kernel: string; diagnostics: { code: string }[] }[];
  };
  assert.equal(ok, false);
  assert.deepEqual(
    files.map(({ kernel, diagnostics }) => [kernel, ...diagnostics.map(({ code }) => code)]),
    [
      ["6.1", "TS2339"],
      [release(), "TS2339"],
    ],
  );
  for (const content of ["no such thing", "{}", '{"schema":"skep.target/2"}']) {
    writeFileSync(recorded, content);
    const refused = await skep(["check", "-t", recorded, module]);
    assert.deepEqual([refused.code, refused.stderr.includes("tells of no kernel")], [1, true], refused.stderr);
  }
  assert.match((await skep(["check", "-t", scratch.file("none"), module])).stderr, /Cannot read .*none/);
});

hostTest("skep check and run without rights", async () => {
  using scratch = new Scratch();
  const bin = publicCopy(scratch, [
    "bin",
    "dist/cli",
    "prebuilds",
    "package.json",
    "node_modules/oxc-parser",
    "node_modules/@oxc-parser",
  ]);
  const module = scratch.file("plain.bpf.ts");
  writeFileSync(
    module,
    'import { counter, profile } from "skep/kernel";\nexport const hits = counter();\nexport const a = profile({ hz: 9 }, () => hits.inc());\n',
  );
  const nobody = (args: readonly string[]) => run([...AS_NOBODY, process.execPath, bin, ...args]);
  const checked = await nobody(["check", module]);
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  const ran = await nobody(["run", module, "--for", "0.1"]);
  assert.equal(ran.code, 3, ran.stderr);
  assert.match(ran.stderr, /^skep: .*CAP_/);
});

hostTest("skep dis shows instructions under their lines, dumps and times", async () => {
  const source = `tp("${OPEN}", count[pid()]++)`;
  const { code, stdout, stderr } = await skep(["dis", "-e", source, "--timings"]);
  assert.equal(code, 0, stderr);
  assert.match(
    stdout,
    /^tracepoint1 {2}tracepoint\/syscalls\/sys_enter_openat {2}\d+ instructions\n; -e:1:\d+ {2}tp\(/,
  );
  assert.match(stdout, /\n +\d+: call bpf_map_lookup_elem#1\n/);
  assert.match(stdout, /\n\S+ +[\d.]+ ms +\d+%\ntogether +[\d.]+ ms +100%\n$/);
  const dumped = await skep(["dis", "-e", source, "--dump", "ssa,asm"]);
  assert.match(dumped.stdout, /── ssa\n[\s\S]*── asm\n/);
  for (const [args, wanted, words] of [
    [["-e", source, "--dump", "tea"], 2, /There is no dump "tea"/],
    [["-e", source, "-p", "none"], 2, /There is no program "none" \(there is tracepoint1\)/],
    [["-e", "tp('x:y', count++)"], 1, /no tracepoint x:y/],
    [[], 2, /Name one file/],
  ] as const) {
    const failed = await skep(["dis", ...args]);
    assert.equal(failed.code, wanted, failed.stderr);
    assert.match(failed.stderr, words);
  }
});

hostTest("skep explain has a page for each code, and says so when there is none", async () => {
  const { code, stdout } = await skep(["explain", "eb2101", "EB9001"]);
  assert.equal(code, 0);
  assert.match(stdout, /^EB2101: a value that may be undefined\n[\s\S]*\nEB9001: /);
  const none = await skep(["explain", "EB2109"]);
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^skep explain: there is no code "EB2109"\. Did you mean EB2101 or /);
  const all = JSON.parse((await skep(["explain", "--json"])).stdout) as { codes: { code: string }[] };
  assert.ok(all.codes.length > 80 && all.codes.some((one) => one.code === "EB3101"));
  assert.equal((await skep(["explain", "--tea"])).code, 2);
});

kernelTest("what the kernel refuses of compiled code is told by its source", () => {
  const compilation = compileText("interval({ ms: 1000 }, count[pid()]++)");
  const { plan } = compilation;
  assert.ok(plan !== undefined);
  const [[name, program] = []] = Object.entries(plan.spec.programs);
  assert.ok(name !== undefined && program !== undefined);
  // The test for null that follows the first look-up goes: 0x55 is `if r0 != 0`, 0x05 goes there in any case.
  const at = program.instructions.findIndex(({ opcode }) => opcode === 0x55);
  const instructions = program.instructions.map((one, i) =>
    i === at ? { ...one, opcode: 0x05, dst: 0 as const } : one,
  );
  const spec = { ...plan.spec, programs: { [name]: { ...program, instructions } } };
  assert.throws(
    () => loadObject(spec),
    (error: unknown) => {
      assert.ok(error instanceof VerifierError);
      const text = rejectionText(compilation, error, false);
      assert.match(
        text,
        /^-e:1:\d+ - error EB9001: The kernel refused `interval1`, which the compiler had accepted\. /,
      );
      assert.match(text, /\n {2}1 │ interval\(\{ ms: 1000 \}, count\[pid\(\)\]\+\+\)\n/);
      assert.match(text, /This is a bug of the compiler/);
      return true;
    },
  );
});

kernelTest("skep run keeps what it compiled, and compiles anew when that is broken", async () => {
  using scratch = new Scratch();
  const env = environment({ XDG_CACHE_HOME: scratch.path });
  const source = `tp("${READ}", pid() === cpid && count[comm()]++)`;
  const counted = async (...more: string[]) => {
    const { code, stdout, stderr } = await skep(["run", "--json", ...more, "-e", source, "--", "true"], { env });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.split("\n")[0] as string) as unknown;
  };
  const folder = scratch.file("skep");
  const fresh = await counted("--no-cache");
  assert.ok(!existsSync(folder));
  assert.deepEqual(await counted(), fresh);
  const [kept, ...others] = readdirSync(folder);
  assert.ok(kept !== undefined && others.length === 0);
  const before = readFileSync(`${folder}/${kept}`);
  assert.deepEqual(await counted(), fresh);
  writeFileSync(`${folder}/${kept}`, before.subarray(0, 100));
  assert.deepEqual(await counted(), fresh);
  assert.deepEqual(readFileSync(`${folder}/${kept}`).length, before.length);
});
