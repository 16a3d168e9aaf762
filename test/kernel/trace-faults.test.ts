// What goes wrong in a tracer's life: each case is met with the truth, and nothing stays attached.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import {
  AS_NOBODY,
  asNobodyWith,
  environment,
  publicCopy,
  run,
  Scratch,
  skep,
  skepPath,
  WITHOUT_CAPABILITIES,
} from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import { assertNothingLost, traced } from "../support/trace.ts";

const node = process.execPath;

kernelTest("another user without any right is told which capabilities are missing", async () => {
  using scratch = new Scratch();
  const { code, stderr } = await run([...AS_NOBODY, node, publicCopy(scratch), "trace", "--", "/bin/true"]);
  assert.equal(code, 3);
  assert.match(stderr, /^skep: .*EPERM.*CAP_BPF/s);
  assert.match(stderr, /root/);
});

kernelTest("root without capabilities is told which are missing", async () => {
  const { code, stderr } = await run([...WITHOUT_CAPABILITIES, node, skepPath, "trace", "--", "/bin/true"]);
  assert.equal(code, 3);
  assert.match(stderr, /lacks CAP_BPF/);
});

kernelTest("another user with CAP_BPF and CAP_PERFMON traces own commands", { kernel: "5.8" }, async () => {
  using scratch = new Scratch();
  const command = [...asNobodyWith("bpf", "perfmon"), node, publicCopy(scratch), "trace", "--", "/bin/echo", "hello"];
  const { code, stdout, stderr } = await run(command);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "hello\n");
  assert.match(stderr, /write\(1.*, "hello\\n", 6\) = 6/);
  // From Linux 7 on only perf's tracepoints cannot be preempted; this user may not read their ids in tracefs.
  assert.match(stderr, kernelIsAtLeast("7.0") ? /nothing lost|\d events SKIPPED by the kernel/ : /nothing lost/);
});

kernelTest("a ring that is full: what was lost is counted, and the sum is right", async () => {
  const calls = 200_000;
  const {
    code,
    calls: got,
    summary,
  } = await traced([fixture("burst"), String(calls)], ["--buffer", "64K", "-e", "getppid"]);
  assert.equal(code, 0);
  const lost = summary.lost["calls"] as number;
  assert.ok(lost > 0, "a ring of 64 KiB should have overflowed");
  assert.equal(got.length + lost, calls);
});

kernelTest("a target that ends at once", async () => {
  const { code, calls, ...rest } = await traced(["/bin/true"]);
  assert.equal(code, 0);
  assert.equal(calls[0]?.syscall, "execve");
  assert.equal(calls.at(-1)?.syscall, "exit_group");
  assert.equal(calls.at(-1)?.unfinished, true);
  assertNothingLost(rest);
});

kernelTest("a target that executes other programs keeps its name in the trace, and the right files", async () => {
  const { code, calls, ...rest } = await traced([fixture("execs"), "5"]);
  assert.equal(code, 0);
  assertNothingLost(rest);
  const execs = calls.filter((call) => call.syscall === "execve" && call.ret === 0);
  assert.equal(execs.length, 6);
  assert.equal(new Set(calls.map((call) => call.pid)).size, 1);
  const reads = calls.filter((call) => call.syscall === "read").slice(-2);
  assert.deepEqual(reads[0]?.args["fd"], { fd: 8, path: "/etc/passwd" });
  assert.equal(reads[0]?.ret, 1);
  // Closed by exec: no name, and the kernel says the same.
  assert.deepEqual(reads[1]?.args["fd"], { fd: 9 });
  assert.equal(reads[1]?.error, "EBADF");
});

kernelTest("10,000 short processes (500 where it is emulated): not one call of them is missed", async () => {
  const processes = pace(10_000, 500);
  const { code, calls, ...rest } = await traced(
    [fixture("children"), String(processes)],
    ["-e", "getppid,exit_group,wait4", "--buffer", "64M"],
    { timeoutMs: 110_000 },
  );
  assert.equal(code, 0);
  assertNothingLost(rest);
  const of = (name: string) => calls.filter((call) => call.syscall === name);
  assert.equal(of("getppid").length, processes);
  assert.equal(new Set(of("getppid").map((call) => call.pid)).size, processes);
  assert.equal(of("exit_group").length, processes + 1);
  assert.equal(of("wait4").length, processes);
});

kernelTest("arguments in memory that cannot be read, and in pages not touched yet", async () => {
  using scratch = new Scratch();
  const page = 4096;
  const path = "/a/path/in/an/untouched/page";
  const bytes = Buffer.alloc(2 * page);
  bytes.write(path, page);
  const file = scratch.file("pages");
  writeFileSync(file, bytes);
  const { calls, ...rest } = await traced([fixture("memory"), file], ["-e", "openat,write,read,execve"]);
  assertNothingLost(rest);
  const from = calls.findIndex((call) => call.args["pathname"] === file);
  const after = calls.slice(from + 1);
  const opens = after.filter((call) => call.syscall === "openat").map((call) => [call.args["pathname"], call.error]);
  const longest = `/${"p".repeat(199)}`.repeat(21).slice(0, 4095);
  assert.deepEqual(opens, [
    [path, "ENOENT"],
    ["0x8", "EFAULT"],
    [null, "EFAULT"],
    [opens[3]?.[0], "EFAULT"],
    [longest, opens[4]?.[1]],
    [opens[5]?.[0], "ENAMETOOLONG"],
    [opens[6]?.[0], "ENOENT"],
  ]);
  // Text without an end shows as its address.
  assert.match(String(opens[3]?.[0]), /^0x[0-9a-f]+ffb$/);
  assert.equal(String(opens[5]?.[0]), "q".repeat(4095));
  assert.equal(String(opens[6]?.[0]).replace(/\ufffd+/, "?"), 'bin\u0001\u001b[31m?"\\\né');
  const bad = (name: string) => after.find((call) => call.syscall === name && call.error === "EFAULT");
  assert.equal(bad("write")?.args["buf"], "0x8");
  assert.equal(bad("read")?.args["buf"], "0x8");
  const execs = after.filter((call) => call.syscall === "execve");
  assert.deepEqual(execs[0]?.args["argv"], Array(24).fill("x"));
  assert.equal(execs[1]?.args["argv"], "0x10");
});

kernelTest("a path of garbage does not reach the terminal as control characters", async () => {
  using scratch = new Scratch();
  writeFileSync(scratch.file("pages"), Buffer.alloc(8192));
  const { stderr } = await skep(["trace", "-e", "openat", "--", fixture("memory"), scratch.file("pages")]);
  assert.match(stderr, /"bin\\x01\\x1b\[31m\\xff\\xfe\\x80\\"\\\\\\né"/);
  assert.ok(!stderr.includes("\u001b"));
});

for (const signal of ["SIGTERM", "SIGKILL", "SIGINT"] as const) {
  kernelTest(`${signal} of skep leaves nothing attached`, async () => {
    using target = await startSleeper();
    using tracer = spawnSkep(["trace", "-p", String(target.child.pid), "-o", "/dev/null"]);
    await until(() => bpfFds(tracer.child.pid as number) >= 5);
    tracer.child.kill(signal);
    const [code] = await tracer.ended;
    if (signal !== "SIGKILL") assert.equal(code, 0);
    // The target lives on, and no other process holds links: with the process its programs are gone.
    assert.ok(isAlive(target.child.pid as number));
  });
}

kernelTest("the reader of the output goes away (| head)", async () => {
  const script = `"$0" "$1" trace -o - -- "$2" 200000 | head -n 3`;
  const { code, stdout } = await run(["sh", "-c", script, node, skepPath, fixture("burst")]);
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd().split("\n").length, 3);
});

kernelTest("a file that cannot be written to is an error before anything runs", async () => {
  const { code, stderr, stdout } = await skep(["trace", "-o", "/nonexistent/folder/trace", "--", "/bin/echo", "ran"]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write the trace to \/nonexistent\/folder\/trace: ENOENT/);
  assert.equal(stdout, "");
});

kernelTest("a device that is full: the trace ends with an error, the command does not", async () => {
  const { code, stderr, stdout } = await skep(["trace", "-o", "/dev/full", "--", "/bin/echo", "ran"]);
  assert.equal(code, 1);
  assert.match(stderr, /Cannot write the trace to \/dev\/full: ENOSPC/);
  assert.equal(stdout, "ran\n");
});

kernelTest("commands, processes and cgroups that are not there", async () => {
  const missing = await skep(["trace", "--", "/nonexistent/command"]);
  assert.deepEqual(
    [missing.code, missing.stderr],
    [127, "skep: Cannot run /nonexistent/command: there is no such file.\n"],
  );
  const folder = await skep(["trace", "--", "/tmp"]);
  assert.equal(folder.code, 126);
  const pid = await skep(["trace", "-p", "4194303"]);
  assert.deepEqual([pid.code, pid.stderr], [1, "skep: There is no process 4194303.\n"]);
  const cgroup = await skep(["trace", "--cgroup", "/tmp"]);
  assert.equal(cgroup.code, 1);
  assert.match(cgroup.stderr, /\/tmp is not a cgroup/);
  const filter = await skep(["trace", "-e", "opnat", "--", "/bin/true"]);
  assert.equal(filter.code, 2);
  assert.match(filter.stderr, /opnat.*openat/s);
});

kernelTest("the exit code is the command's, also when a signal ends it", async () => {
  const failed = await skep(["trace", "-c", "--", "sh", "-c", "exit 42"]);
  assert.equal(failed.code, 42);
  const killed = await skep(["trace", "--", "sh", "-c", "kill -SEGV $$"]);
  assert.equal(killed.code, 128 + 11);
  assert.match(killed.stderr, /--- SIGSEGV ---/);
});

interface Running extends Disposable {
  readonly child: ChildProcess;
  readonly ended: Promise<[number | null, NodeJS.Signals | null]>;
}

function running(child: ChildProcess): Running {
  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.on("exit", (code, signal) => resolve([code, signal]));
  });
  return { child, ended, [Symbol.dispose]: () => void child.kill("SIGKILL") };
}

function spawnSkep(args: readonly string[]): Running {
  return running(spawn(node, [skepPath, ...args], { stdio: "ignore", env: environment() }));
}

async function startSleeper(): Promise<Running> {
  const child = spawn(fixture("sleeper"), { stdio: ["ignore", "pipe", "ignore"] });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.stdout?.once("data", () => resolve());
  });
  return running(child);
}

/** How many links and programs of eBPF a process holds. */
function bpfFds(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).filter((fd) => /bpf_link|bpf-prog|bpf_prog/.test(linkOf(pid, fd))).length;
  } catch {
    return 0;
  }
}

function linkOf(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`);
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < pace(500, 5000); i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail("It did not come to pass within five seconds.");
}
