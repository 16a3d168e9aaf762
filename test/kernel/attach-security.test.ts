// Attachments that refuse: without the attachment a file opens, with it the open is refused, and afterwards it opens again.
// Programs of these kinds look at this process only; development machines refuse them, so they run in virtual machines.
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Fd, native, nr } from "../../src/runtime/sys/index.ts";
import { attachCgroup, attachTracing, loadObject } from "../../src/sdk/index.ts";
import { type Counting, countingObject } from "../support/attach-programs.ts";
import { inOwnCgroup } from "../support/cgroup.ts";
import { kernelTest } from "../support/kernel-test.ts";

const EPERM = -1;
const here = fileURLToPath(import.meta.url);
const open = () => closeSync(openSync(here, "r"));

function refusesToOpen(options: Counting): void {
  using object = loadObject(countingObject({ ...options, result: EPERM }));
  open();
  assert.equal(object.maps.counts.get(0)?.[0], 0n);
  const link = attachTracing(object.programs.p);
  try {
    assert.throws(open, { code: "EPERM" });
  } finally {
    link.close();
  }
  assert.equal(object.maps.counts.get(0)?.[0], 1n);
  open();
}

kernelTest("attach: lsm refuses to open a file", { attach: "lsm" }, () => {
  refusesToOpen({ type: "lsm", expectedAttachType: "lsm_mac", attachTo: "file_open" });
});

kernelTest("attach: fmod_ret refuses to open a file", { attach: "fmod_ret" }, () => {
  refusesToOpen({ type: "tracing", expectedAttachType: "modify_return", attachTo: "security_file_open" });
});

kernelTest("attach: lsm_cgroup refuses sockets to a cgroup", { attach: "lsm_cgroup" }, async () => {
  using object = loadObject(
    countingObject({
      type: "lsm",
      expectedAttachType: "lsm_cgroup",
      attachTo: "socket_create",
      result: 0,
      otherwise: 1,
    }),
  );
  const AF_INET = 2;
  const SOCK_DGRAM = 2;
  const socket = () => {
    const result = native().syscall(nr.socket, AF_INET, SOCK_DGRAM, 0);
    if (result >= 0) new Fd(result, "socket").close();
    return Math.min(0, result);
  };
  await inOwnCgroup((own) => {
    assert.equal(socket(), 0);
    const link = attachCgroup(object.programs.p, own);
    assert.equal(socket(), EPERM);
    link.close();
    assert.equal(socket(), 0);
    assert.equal(object.maps.counts.get(0)?.[0], 1n);
  });
});
