// The examples run and print what their pages say.
import assert from "node:assert/strict";
import { join } from "node:path";
import { loadObject } from "../../src/sdk/index.ts";
import { root, run } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { counterMap, countingProgram } from "../support/probe-programs.ts";

const example = (name: string, ...args: readonly string[]) =>
  run([process.execPath, join(root, "dist-test", "examples", `${name}.js`), ...args]);

kernelTest("example ring-buffer: the calls of readdir, and books that add up", { kernel: "5.8" }, async () => {
  const { code, stdout, stderr } = await example("ring-buffer");
  assert.equal(code, 0, stderr);
  const counts = [...stdout.matchAll(/^system call \d+: (\d+)$/gm)].map((match) => Number(match[1]));
  // At least: open, read twice, close.
  assert.ok(counts.length >= 3, stdout);
  const sum = counts.reduce((a, b) => a + b, 0);
  for (const entry of [`delivered: ${sum}`, "discarded: 0", "dropped: 0", "pendingBytes: 0"])
    assert.match(stdout, new RegExp(`\\b${entry},?\n`));
});

kernelTest("example trace-library: the file that cat looks for in vain", { kernel: "5.8" }, async () => {
  const { code, stdout, stderr } = await example("trace-library", "cat", "/nonexistent/file");
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^\/nonexistent\/file$/m);
  assert.match(stdout, /calls: 0,/);
  // What cat does find is not printed.
  assert.doesNotMatch(stdout, /libc\.so\.6/);
});

kernelTest(
  "example clang-object: the calls of readdir, counted by an object of clang's",
  { kernel: "5.8" },
  async () => {
    const { code, stdout, stderr } = await example("clang-object");
    assert.equal(code, 0, stderr);
    const counts = [...stdout.matchAll(/^system call \d+: (\d+)$/gm)].map((match) => Number(match[1]));
    assert.ok(counts.length >= 3, stdout);
  },
);

kernelTest("example attached: what this process attached, and that it holds it", { kernel: "5.8" }, async () => {
  using object = loadObject({ maps: { counts: counterMap }, programs: { p: countingProgram() } });
  using _link = object.programs.p.attachRawTracepoint("sys_enter");
  const { code, stdout, stderr } = await example("attached");
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^p: raw tracepoint sys_enter, held by .*\\(${process.pid}\\)$`, "m"));
});
