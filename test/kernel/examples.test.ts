// The examples run and print what their pages say: those of tracing, of maps and of objects.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { loadObject, usdtProbes } from "../../src/sdk/index.ts";
import { run } from "../support/cli.ts";
import { assertBooks, exampleCommand, forX64, printed, printedBy } from "../support/example.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";
import { withMount } from "../support/mounts.ts";
import { counterMap, countingProgram } from "../support/probe-programs.ts";

const example = (name: string, ...args: readonly string[]) => printed(exampleCommand(name, ...args));

kernelTest("example hello: some system calls are counted", { kernel: "5.8" }, async () => {
  const [, calls] = /^Hello! So far (\d+) system calls\.\n$/.exec(await example("hello")) ?? [];
  // At least: open, read twice, close.
  assert.ok(Number(calls) >= 4, calls);
});

kernelTest("example ring-buffer: the calls of readdir, and books that add up", { kernel: "5.8" }, async () => {
  const stdout = await example("ring-buffer");
  const counts = [...stdout.matchAll(/^system call \d+: (\d+)$/gm)].map((match) => Number(match[1]));
  // At least: open, read twice, close.
  assert.ok(counts.length >= 3, stdout);
  assertBooks(
    stdout,
    counts.reduce((a, b) => a + b, 0),
  );
  assert.match(stdout, /\bdiscarded: 0\n/);
});

kernelTest(
  "example flight-recorder: the last calls before an error, and no more than it holds",
  { kernel: "5.8" },
  async () => {
    const stdout = await example("flight-recorder");
    assert.match(stdout, /^ENOENT; before that:$/m);
    assert.equal([...stdout.matchAll(/^-?\d+ µs: system call \d+$/gm)].length, 10, stdout);
    const kept = Number(/^(\d+) calls were kept$/m.exec(stdout)?.[1]);
    // 64 KiB for each CPU, 32 bytes a record; the calls are made on one of them, unless the thread is moved.
    assert.ok(kept >= 2000 && kept < 5000, stdout);
  },
);

kernelTest("example trace-library: the file that cat looks for in vain", { kernel: "5.8" }, async () => {
  const stdout = await example("trace-library", "cat", "/nonexistent/file");
  assert.match(stdout, /^\/nonexistent\/file$/m);
  assert.match(stdout, /calls: 0,/);
  // What cat does find is not printed.
  assert.doesNotMatch(stdout, /libc\.so\.6/);
});

kernelTest(
  "example clang-object: the calls of readdir, counted by an object of clang's",
  { kernel: "5.8" },
  async () => {
    const stdout = await example("clang-object");
    const counts = [...stdout.matchAll(/^system call \d+: (\d+)$/gm)].map((match) => Number(match[1]));
    assert.ok(counts.length >= 3, stdout);
  },
);

kernelTest("example attached: what this process attached, and that it holds it", { kernel: "5.8" }, async () => {
  using object = loadObject({ maps: { counts: counterMap }, programs: { p: countingProgram() } });
  using _link = object.programs.p.attachRawTracepoint("sys_enter");
  const stdout = await example("attached");
  assert.match(stdout, new RegExp(`^p: raw tracepoint sys_enter, held by .*\\(${process.pid}\\)$`, "m"));
});

kernelTest(
  "example kprobe: the file that is read, and its bytes",
  { ...forX64, attach: "kprobes", config: "CONFIG_KPROBES" },
  async () => {
    const [, bytes] = /^group: (\d+) bytes wanted$/m.exec(await example("kprobe", "/etc/group")) ?? [];
    assert.ok(Number(bytes) > 0, bytes);
    // What is not there is not read, and says so.
    const { code, stdout, stderr } = await run(exampleCommand("kprobe", "/no/such/file"));
    assert.notEqual(code, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /ENOENT/);
  },
);

kernelTest("example tracepoint: the paths that are opened, each as often as it was", { kernel: "5.8" }, async () => {
  const stdout = await example("tracepoint", "/etc/group", "/etc/passwd", "/etc/group", "/no/such/file");
  assert.match(stdout, /^\/etc\/group: 2$/m);
  assert.match(stdout, /^\/etc\/passwd: 1$/m);
  // It is looked for, but never opened.
  assert.doesNotMatch(stdout, /no\/such\/file/);
});

kernelTest(
  "example uprobe: the paths that JavaScript opens",
  { ...forX64, kernel: "5.8", attach: "uprobes" },
  async () => {
    const stdout = await example("uprobe", "/etc/group", "/etc/passwd");
    assert.match(stdout, /^uv_fs_open \/etc\/group\nuv_fs_open \/etc\/passwd\n\{\n/);
    assertBooks(stdout, 2);
  },
);

const PYTHON = "/usr/bin/python3";
const hasProbes = existsSync(PYTHON) && usdtProbes(PYTHON).some(({ name }) => name === "import__find__load__start");

kernelTest(
  "example usdt: the modules that Python imports",
  { unless: forX64.unless ?? (hasProbes ? undefined : `no ${PYTHON} with probes`), kernel: "5.8", attach: "uprobes" },
  async () => {
    const stdout = await example("usdt", "colorsys");
    const names = [...stdout.matchAll(/^import (\S+)$/gm)].map((match) => match[1]);
    assert.equal(names[0], "colorsys");
    assertBooks(stdout, names.length);
  },
);

kernelTest("example perf-buffer: the thread that is started for a worker", { kernel: "5.8" }, async () => {
  const stdout = await example("perf-buffer");
  const started = stdout.match(/^thread \d+ \(.+\) started \d+$/gm) ?? [];
  assert.ok(started.length >= 1, stdout);
  assertBooks(stdout, started.length);
});

kernelTest("example map-in-map: the second span has more calls than the first", { kernel: "5.8" }, async () => {
  const stdout = await example("map-in-map");
  const [, first, second] = /^first: (\d+) calls of \d+ kinds\nsecond: (\d+) calls of \d+ kinds\n$/.exec(stdout) ?? [];
  // A folder is read once, then ten times: by four calls at least.
  assert.ok(Number(first) >= 4 && Number(second) >= 40 && Number(second) > Number(first), stdout);
});

kernelTest(
  "example pinning: counts while no process of its own is there",
  { kernel: "5.8", command: ["unshare", "mountpoint"] },
  async () => {
    const [node, file] = exampleCommand("pinning") as [string, string];
    const folder = "/sys/fs/bpf/skep-pinning";
    const steps = [`"$0" "$1" stop`, `"$0" "$1"`, "true; /bin/true", `"$0" "$1"`, `"$0" "$1" stop`, `ls -d ${folder}`];
    const { stdout, stderr } = await run(withMount("bpf", "/sys/fs/bpf", "sh", "-c", steps.join("\n"), node, file));
    const [, first, second] =
      /^nothing to end\nbegun\n(\d+) commands so far\n(\d+) commands so far\nended\n$/.exec(stdout) ?? [];
    // The command between, and the example itself.
    assert.ok(Number(first) >= 2, `${stdout}${stderr}`);
    assert.ok(Number(second) > Number(first), stdout);
    assert.match(stderr, new RegExp(`^ls: .*${folder}.*: No such file`));
  },
);

kernelTest("example hot-update: every call is seen by one of the two programs", { kernel: "5.8" }, async () => {
  assert.equal(await example("hot-update"), "kept: counts\nseen by the first: 500, by the second: 500\n");
});

kernelTest("example iterator: the threads of the process itself", { kernel: "5.8", attach: "iterators" }, async () => {
  const { stdout, pid } = await printedBy(exampleCommand("iterator"));
  const lines = stdout.trimEnd().split("\n");
  for (const line of lines) assert.match(line, /^\d+ .+: waited \d+ times, was interrupted \d+ times$/);
  assert.ok(
    lines.some((line) => line.startsWith(`${pid} `)),
    stdout,
  );
  // Node has threads for its files and its compiler.
  assert.ok(lines.length > 1, stdout);
});

kernelTest(
  "example printk: the line of the one signal",
  {
    kernel: "5.10",
    unless: machine.virtual ? undefined : "reads what every program of the machine prints: in a virtual machine only",
  },
  async () => {
    const { stdout, pid } = await printedBy(exampleCommand("printk"));
    assert.match(stdout, new RegExp(`^CPU \\d+, thread ${pid}: signal 0 for ${pid}\n\\{\n`));
    assertBooks(stdout, 1);
  },
);

kernelTest("example lsm: a file cannot be opened while the program is attached", { attach: "lsm" }, async () => {
  assert.equal(await example("lsm"), "before: the secret\nattached: EPERM\nafterwards: the secret; refused 1 times\n");
});

kernelTest("example unit-test: both of its tests pass", {}, async () => {
  const { stdout } = await printedBy(exampleCommand("unit-test"));
  assert.match(stdout, /^# pass 2\n# fail 0$/m, stdout);
});
