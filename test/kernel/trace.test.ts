// skep trace as people use it: whose calls it shows, which, how, and that not one is missed or doubled.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseSyscallFilter, Tracing } from "../../src/tools/trace/index.ts";
import { cgroup2, cgroupMount } from "../support/cgroup.ts";
import { environment, run, Scratch, skep, skepPath } from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { assertNothingLost, type CallLine, parseTrace, traced } from "../support/trace.ts";

const node = process.execPath;
/** Seconds in which skep surely is attached. */
const ATTACHED = pace("0.7", "6");
const names = (calls: readonly CallLine[]) => new Set(calls.map((call) => call.syscall));

kernelTest("threads under load: not one call lost or doubled", async () => {
  const [threads, each] = [8, pace(20_000, 5000)];
  const command = [fixture("threads"), String(threads), String(each)];
  const { code, calls, ...rest } = await traced(command, ["-e", "getppid", "--buffer", "64M"]);
  assert.equal(code, 0);
  assertNothingLost(rest);
  const perThread = new Map<number, number>();
  for (const { tid } of calls) perThread.set(tid, (perThread.get(tid) ?? 0) + 1);
  assert.deepEqual([...perThread.values()], Array(threads).fill(each));
  assert.equal(new Set(calls.map((call) => call.pid)).size, 1);
});

kernelTest("the first call of a command is its execve, the last its exit_group", async () => {
  for (let i = 0; i < 5; i++) {
    const { calls } = await traced(["/bin/true"]);
    assert.equal(calls[0]?.syscall, "execve");
    assert.equal(calls[0]?.args["filename"] ?? calls[0]?.args["pathname"], "/bin/true");
    assert.equal(calls[0]?.ret, 0);
    assert.equal(calls.at(-1)?.syscall, "exit_group");
  }
});

kernelTest("nothing is loaded of Node that a trace does not need", async () => {
  using scratch = new Scratch();
  // As the process begins, and as it ends: each of these would be milliseconds before the first event, or after the last.
  const lines = [
    "const had = new Set(process.moduleLoadList);",
    "const { writeFileSync } = require('node:fs');",
    "const loaded = () => JSON.stringify(process.moduleLoadList.filter((name) => !had.has(name)));",
    "process.on('exit', () => writeFileSync(process.env.LOADED, loaded()));",
    "process.argv.splice(1, 1);",
    "require(process.argv[1]);",
  ];
  writeFileSync(scratch.file("told.cjs"), lines.join("\n"));
  const env = environment({ LOADED: scratch.file("loaded.json") });
  const command = [skepPath, "trace", "-o", scratch.file("trace"), "--", "/bin/true"];
  const { code } = await run([node, scratch.file("told.cjs"), ...command], { env });
  assert.equal(code, 0);
  const loaded: string[] = JSON.parse(readFileSync(scratch.file("loaded.json"), "utf8"));
  assert.ok(loaded.includes("NativeModule vm"), "the list is what it is taken for");
  assert.deepEqual(
    loaded.filter((name) => /perf_hooks|stream|parse_args|child_process|\bnet$|worker/.test(name)),
    [],
  );
});

kernelTest("-c counts in the kernel what was called, and its times are in order", async () => {
  using scratch = new Scratch();
  const file = scratch.file("summary.json");
  const { code } = await skep(["trace", "-c", "--json", "-o", file, "--", fixture("threads"), "4", "5000"]);
  assert.equal(code, 0);
  const { schema, syscalls, lost } = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(schema, "skep.trace-summary/1");
  for (const count of Object.values(lost)) assert.equal(count, 0);
  const row = syscalls.find(({ syscall }: { syscall: string }) => syscall === "getppid");
  assert.equal(row.calls, 20_000);
  assert.equal(row.errors, 0);
  assert.ok(0 < row.p50 && row.p50 <= row.p99 && row.p99 <= row.max, JSON.stringify(row));
  assert.ok(row.average * 20_000 <= row.total * 1.001 && row.total <= 20_000 * row.max);
});

kernelTest("-C shows the calls and the same counts", async () => {
  const { code, stderr } = await skep(["trace", "-C", "--hist", "-e", "getppid", "--", fixture("burst"), "100"]);
  assert.equal(code, 0);
  assert.equal(stderr.match(/^getppid\(\) = \d+ </gm)?.length, 100);
  assert.match(stderr, /^getppid +100 /m);
  assert.match(stderr, /^ {2}\[\S+, \S+\) +\d+ │█/m);
});

kernelTest("-e chooses calls by name, class and negation", async () => {
  const of = async (filter: string) => names((await traced(["cat", "/etc/hostname"], ["-e", filter])).calls);
  assert.deepEqual(await of("openat,close"), new Set(["openat", "close"]));
  const file = await of("%file");
  assert.ok(file.has("openat") && file.has("execve") && !file.has("mmap") && !file.has("read"), [...file].join());
  const memory = await of("%memory");
  assert.ok(memory.has("mmap") && memory.has("brk") && !memory.has("openat"), [...memory].join());
  const rest = await of("!%file,!%memory");
  assert.ok(rest.has("read") && !rest.has("openat") && !rest.has("mmap"), [...rest].join());
  const network = await traced(
    [node, "-e", "require('net').connect(1, '127.0.0.1').on('error', () => {})"],
    ["-e", "%net"],
  );
  const connect = network.calls.find((call) => call.syscall === "connect");
  assert.match(JSON.stringify(connect?.args), /127\.0\.0\.1/);
});

kernelTest("--failed shows only failures, --min-us only slow calls", async () => {
  const failed = await traced(["cat", "/nonexistent"], ["--failed"]);
  assert.ok(failed.calls.length > 0);
  for (const call of failed.calls) assert.ok((call.ret as number) < 0, JSON.stringify(call));
  assert.ok(failed.calls.some((call) => call.args["pathname"] === "/nonexistent" && call.error === "ENOENT"));
  const slow = await traced(["sleep", pace("0.1", "3")], ["--min-us", pace("90000", "2900000")]);
  assert.deepEqual(
    slow.calls.filter((call) => call.unfinished !== true).map((call) => call.syscall),
    ["clock_nanosleep"],
  );
});

kernelTest("each line of --json is an object of the schema, in the order of the calls' ends", async () => {
  const { lines, calls, summary } = await traced(["ls", "/"]);
  assert.deepEqual(lines[0], {
    schema: "skep.trace/1",
    type: "begin",
    target: { kind: "command", command: ["ls", "/"] },
  });
  for (const call of calls) {
    assert.deepEqual(
      Object.keys(call).slice(0, 10),
      ["type", "time_us", "pid", "tid", "syscall", "nr", "args", "ret", "error", "ns"],
      JSON.stringify(call),
    );
    if (call.unfinished !== true) assert.ok((call.ns as number) > 0 && typeof call.ret === "number");
    assert.ok(Math.abs(call.time_us / 1000 - Date.now()) < 60_000);
  }
  const ends = calls.filter((call) => call.ns !== null).map((call) => call.time_us + (call.ns as number) / 1000);
  for (let i = 1; i < ends.length; i++) assert.ok((ends[i] as number) >= (ends[i - 1] as number) - 2);
  assert.equal(summary.calls, calls.length);
});

kernelTest("the command's own output stays apart; colours only on a terminal that wants them", async () => {
  const { stdout, stderr } = await skep(["trace", "-e", "write", "--", "echo", "out"]);
  assert.equal(stdout, "out\n");
  assert.ok(!stderr.includes("\u001b"));
  const onTerminal = (env: NodeJS.ProcessEnv) =>
    run(["script", "-qec", `"${node}" "${skepPath}" trace -e write -- echo out`, "/dev/null"], {
      env: environment({ TERM: "xterm", ...env }),
    });
  assert.ok((await onTerminal({})).stdout.includes("\u001b[36mwrite\u001b[0m("));
  assert.ok(!(await onTerminal({ NO_COLOR: "1" })).stdout.includes("\u001b["));
  assert.ok(!(await onTerminal({ TERM: "dumb" })).stdout.includes("\u001b["));
});

kernelTest("-p shows a running process, its threads and a call that began before, and nothing else", async () => {
  const target = spawn("sleep", [ATTACHED], { stdio: "ignore" });
  const other = spawn(fixture("sleeper"), { stdio: "ignore" });
  try {
    const { code, stdout } = await skep(["trace", "--json", "-o", "-", "-p", String(target.pid)]);
    assert.equal(code, 0);
    const { calls, summary } = parseTrace(stdout);
    assertNothingLost({ summary });
    assert.equal(calls[0]?.syscall, "clock_nanosleep");
    assert.equal(calls[0]?.resumed, true);
    assert.equal(calls[0]?.ns, null);
    assert.equal(calls.at(-1)?.syscall, "exit_group");
    assert.deepEqual(new Set(calls.map((call) => call.pid)), new Set([target.pid]));
  } finally {
    other.kill("SIGKILL");
    target.kill("SIGKILL");
  }
});

kernelTest("what a command leaves running is traced whole beside a neighbour that competes for the CPU", async () => {
  // While Skep looks whether any of it lives, the neighbour gets the CPU: no program may be skipped for that (Linux 7).
  const neighbour = spawn(
    "sh",
    ["-c", "while :; do dd if=/dev/zero of=/dev/null bs=1 count=200000 2>/dev/null; done"],
    {
      stdio: "ignore",
      detached: true,
    },
  );
  try {
    const calls = pace(20_000, 5000);
    const script = `sh -c 'sleep 1; exec "$0" ${calls}' "$0" & exit 0`;
    const { summary, ...rest } = await traced(["sh", "-c", script, fixture("burst")], ["-e", "getppid"]);
    assertNothingLost({ summary });
    assert.ok(rest.calls.filter(({ ret }) => ret !== null).length >= calls, `${rest.calls.length}`);
  } finally {
    process.kill(-(neighbour.pid as number), "SIGKILL");
  }
});

kernelTest("-p works inside a pid namespace, with the ids that are used there", async () => {
  const script = `sleep ${ATTACHED} & "$0" "$1" trace --json -o - -p $! && echo "$!"`;
  const { code, stdout, stderr } = await run([
    ...["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script, node, skepPath],
  ]);
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  const pid = Number(lines.pop());
  const { calls } = parseTrace(lines.join("\n"));
  assert.ok(pid < 1000 && calls.length > 0);
  assert.deepEqual(new Set(calls.map((call) => call.pid)), new Set([pid]));
});

kernelTest("--cgroup shows the processes in it and below, whenever they come", cgroup2, async () => {
  const path = join(cgroupMount() as string, `skep-test-${process.pid}`);
  const below = join(path, "below");
  mkdirSync(below, { recursive: true });
  try {
    const script = `sleep ${ATTACHED}; echo $$ > ${below}/cgroup.procs; exec ${fixture("burst")} 50`;
    const inside = spawn("sh", ["-c", script], { stdio: "ignore" });
    const ended = new Promise((resolve) => inside.on("exit", resolve));
    const tracer = spawn(node, [skepPath, "trace", "--json", "-o", "-", "--cgroup", path], {
      stdio: ["ignore", "pipe", "inherit"],
      env: environment(),
    });
    let text = "";
    tracer.stdout.on("data", (chunk) => {
      text += chunk;
    });
    const closed = new Promise((resolve) => tracer.on("close", resolve));
    await ended;
    tracer.kill("SIGINT");
    assert.equal(await closed, 0);
    const { calls, summary } = parseTrace(text);
    assertNothingLost({ summary });
    assert.equal(calls.filter((call) => call.syscall === "getppid").length, 50);
    assert.deepEqual(new Set(calls.map((call) => call.pid)), new Set([inside.pid]));
    // It ran before it came in: that is not shown.
    assert.ok(!calls.some((call) => call.syscall === "clock_nanosleep"));
  } finally {
    rmdirSync(below);
    rmdirSync(path);
  }
});

kernelTest("Ctrl-C: the command is asked to end, the summary comes, the code is a shell's", async () => {
  const { code, stderr } = await skep(["trace", "--", "sleep", "30"], {
    started: (tracer) => {
      tracer.stderr?.on("data", (chunk: Buffer) => {
        if (chunk.includes("munmap(")) tracer.kill("SIGINT");
      });
    },
  });
  assert.equal(code, 130);
  assert.match(stderr, /--- SIGINT ---/);
  assert.match(stderr, /^skep: \d+ calls .*; nothing lost$/m);
});

kernelTest("a call that never returns, or not before the tracing ends, is shown as unfinished", async () => {
  const { code, stderr } = await skep(
    ["trace", "-e", "clock_nanosleep,wait4", "--", "sh", "-c", `trap '' INT; sleep ${pace(2, 9)}; :`],
    {
      started: (tracer) => {
        // The first goes to the command, which does not mind; the second ends the tracing.
        setTimeout(() => tracer.kill("SIGINT"), pace(700, 5000));
        setTimeout(() => tracer.kill("SIGINT"), pace(900, 5500));
      },
    },
  );
  assert.equal(code, 130);
  assert.match(stderr, /clock_nanosleep\(.*tv_sec=[29].* <unfinished \.\.\.>\) = \?/);
  assert.match(stderr, /wait4\(.* <unfinished \.\.\.>\) = \?/);
  const exit = await skep(["trace", "-e", "exit_group", "--", "sh", "-c", "exit 3"]);
  assert.match(exit.stderr, /^exit_group\(3 <unfinished \.\.\.>\) = \?$/m);
});

kernelTest("a process that a signal ends: the call it was in, and the signal by its name", async () => {
  const { stderr } = await skep(["trace", "-e", "clock_nanosleep", "--", "timeout", pace("0.2", "2"), "sleep", "9"]);
  assert.match(stderr, /clock_nanosleep\(.*tv_sec=9.*\) = \? ERESTART_RESTARTBLOCK/);
  assert.match(stderr, /--- SIGTERM ---/);
  assert.doesNotMatch(stderr, /SIGKILL/);
  const killed = await skep(["trace", "--", "sh", "-c", "kill -KILL $$"]);
  assert.equal(killed.code, 137);
  assert.match(killed.stderr, /--- SIGKILL ---/);
});

kernelTest("programs load while signals rain down (a profiler's thousands a second)", async () => {
  using scratch = new Scratch();
  const profiler = ["--cpu-prof", `--cpu-prof-interval=${pace(100, 2000)}`, `--cpu-prof-dir=${scratch.path}`];
  for (let i = 0; i < 3; i++) {
    const { code, stderr } = await run([node, ...profiler, skepPath, "trace", "-c", "--", "/bin/true"]);
    assert.equal(code, 0, stderr);
  }
});

kernelTest("the library: calls come to the sink, closing twice does nothing", async () => {
  using scratch = new Scratch();
  const path = scratch.file("made");
  const seen: string[] = [];
  const tracing = Tracing.start({
    target: { kind: "pids", pids: [process.pid] },
    calls: parseSyscallFilter("openat", process.arch),
    sink: { call: (call) => void seen.push(`${call.name}:${call.files.text(call.ret) ?? ""}`) },
  });
  writeFileSync(path, "x");
  tracing.stop();
  tracing.close();
  tracing.close();
  assert.ok(seen.length > 0 && seen.every((text) => text.startsWith("openat:")));
});
