// BPF tokens: rights that are delegated to a user namespace through a bpffs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { native } from "../../src/runtime/sys/index.ts";
import { createToken, Fd, openPidFd } from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { childCommand } from "../support/mounts.ts";

const PIDFD_GETFD = 438;
const FSCONFIG = 431;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;

kernelTest(
  "an object is loaded in a user namespace by a token of its bpffs",
  { kernel: "6.9", command: "unshare", config: "CONFIG_USER_NS" },
  async () => {
    const child = spawn("unshare", ["--user", "--mount", "--map-root-user", ...childCommand("token")], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let errors = "";
    child.stderr.on("data", (text) => {
      errors += text;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      if (lines.length > 1) break;
      delegate(child.pid ?? -1, Number(line));
      child.stdin.end("\n");
    }
    assert.equal(await ended, 0, errors);
    assert.equal(lines[1], "done", errors);
  },
);

/** Gives the file system that the process is making all rights for programs of type socket_filter, by its descriptor. */
function delegate(pid: number, fd: number): void {
  using process = openPidFd(pid);
  const got = native().syscall(PIDFD_GETFD, process.number, fd, 0);
  assert.ok(got >= 0, `pidfd_getfd: errno ${-got}`);
  using fs = new Fd(got, "the bpffs of a child");
  const text = (value: string) => new Uint8Array(Buffer.from(`${value}\0`));
  for (const [option, value] of [
    ["delegate_cmds", "any"],
    ["delegate_maps", "any"],
    ["delegate_progs", "0x2"],
    ["delegate_attachs", "any"],
  ] as const) {
    const result = native().syscall(
      FSCONFIG,
      fs.number,
      FSCONFIG_SET_STRING,
      native().addressOf(text(option)),
      native().addressOf(text(value)),
      0,
    );
    assert.equal(result, 0, `${option}: errno ${-result}`);
  }
  const created = native().syscall(FSCONFIG, fs.number, FSCONFIG_CMD_CREATE, 0, 0, 0);
  assert.equal(created, 0, `create: errno ${-created}`);
}

kernelTest("a token of what delegates nothing says what to do", () => {
  assert.throws(() => createToken("/sys"), /BPF tokens need Linux 6\.9|root of a bpffs|delegates nothing/);
});
