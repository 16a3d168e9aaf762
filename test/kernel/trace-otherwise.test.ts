// Calls that come another way than most: answered by a seccomp filter before the kernel came to them, and those of
// 32-bit programs, which have numbers of their own.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { Scratch, skep } from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { assertNothingLost, type CallLine, traced } from "../support/trace.ts";

const bits32 = fixture("bits32");
const SIXTY_FOUR = {
  config: "CONFIG_IA32_EMULATION",
  unless: existsSync(bits32) ? undefined : "32-bit programs are compiled on x86-64 only",
} as const;
const told = ({ syscall, ret, error, ns }: CallLine) => ({ syscall, ret, error, ns });

kernelTest("calls that seccomp answers are shown, with their arguments and marked as refused", async () => {
  const { code, calls, ...rest } = await traced([fixture("refused")]);
  assert.equal(code, 0);
  assertNothingLost(rest);
  const refused = calls.filter((call) => call.refused === true);
  assert.deepEqual(refused.map(told), [
    { syscall: "mkdirat", ret: -1, error: "EPERM", ns: null },
    { syscall: "getppid", ret: 0, error: null, ns: null },
    { syscall: "mkdirat", ret: -1, error: "EPERM", ns: null },
  ]);
  const paths = refused.map(({ args }) => args["pathname"]);
  assert.deepEqual(paths, ["forbidden", undefined, "forbidden, too"]);
  assert.notEqual(refused[2]?.pid, refused[0]?.pid);
  // Those beside them are as ever.
  const after = calls.slice(calls.indexOf(refused[1] as CallLine) + 1);
  assert.ok(after[0]?.syscall === "getpid" && after[0].refused === undefined && after[0].ns !== null);
});

kernelTest("a filter that leaves calls out takes none of them for refused", async () => {
  const { calls } = await traced([fixture("refused")], ["-e", "getpid,mkdirat"]);
  assert.deepEqual(
    calls.map(({ syscall, refused }) => [syscall, refused]),
    [
      ["mkdirat", true],
      ["getpid", undefined],
      ["mkdirat", true],
    ],
  );
  const failed = await traced([fixture("refused")], ["--failed", "-e", "mkdirat,getppid"]);
  assert.deepEqual(
    failed.calls.map(({ syscall }) => syscall),
    ["mkdirat", "mkdirat"],
  );
});

kernelTest("-c counts refused calls and their errors, without a time", async () => {
  using scratch = new Scratch();
  const file = scratch.file("summary.json");
  await skep(["trace", "-c", "--json", "-o", file, "--", fixture("refused")]);
  const { syscalls } = JSON.parse(readFileSync(file, "utf8"));
  const row = (name: string) => syscalls.find(({ syscall }: { syscall: string }) => syscall === name);
  const { calls, errors, refused, total } = row("mkdirat");
  assert.deepEqual({ calls, errors, refused, total }, { calls: 2, errors: 2, refused: 2, total: 0 });
  assert.equal(row("getpid").refused, 0);
});

kernelTest("a 32-bit program's calls: names, paths, open files, and what it executes", SIXTY_FOUR, async () => {
  const { code, calls, ...rest } = await traced([bits32]);
  assert.equal(code, 5);
  assertNothingLost(rest);
  const compat = calls.filter((call) => call.compat === true);
  const main = compat.filter(({ pid }) => pid === calls[0]?.pid);
  assert.deepEqual(
    main.filter(({ syscall }) => syscall !== "execve").map(({ syscall }) => syscall),
    ["open", "read", "close", "getpid", "openat", "fork", "wait4", "exit_group"],
  );
  const openat = main.find(({ syscall }) => syscall === "openat");
  assert.equal(openat?.error, "ENOENT");
  assert.match(JSON.stringify(openat?.args), /\/nonexistent/);
  assert.match(JSON.stringify(main.find(({ syscall }) => syscall === "read")?.args), /\/etc\/hostname/);
  const child = calls.filter(({ pid }) => pid !== calls[0]?.pid);
  const exec = child.find(({ syscall }) => syscall === "execve");
  assert.match(JSON.stringify(exec?.args), /\/bin\/true.*of 32 bits/);
  // What it executed has 64 bits.
  assert.ok(child.some(({ syscall, compat: narrow }) => syscall === "exit_group" && narrow === undefined));
});

kernelTest("-e chooses a 32-bit program's calls by the same names", SIXTY_FOUR, async () => {
  const { calls } = await traced([bits32], ["-e", "openat,getpid"]);
  const narrow = calls.filter(({ compat }) => compat === true);
  assert.deepEqual(
    narrow.map(({ syscall, nr }) => [syscall, nr]),
    [
      ["getpid", 20],
      ["openat", 295],
    ],
  );
});
