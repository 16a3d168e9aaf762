// Kernel TypeScript: the kinds of programs that not every machine has, each with what it saw.
import assert from "node:assert/strict";
import { hasCommand, kernelTest } from "../support/kernel-test.ts";
import { Project, SHOW } from "../support/project.ts";

const network = {
  unless: hasCommand("ip") && hasCommand("unshare") ? undefined : "ip (iproute2) or unshare is not installed",
} as const;

/** Reads a file twice, a piece of its own length, and tells how often that was asked for and given. */
const READS = `${SHOW}
  import { openSync, readSync, writeFileSync } from "node:fs";
  import { load } from "skep";
  writeFileSync("input", "x".repeat(5000));
  const bpf = await load(import("./reads.bpf.ts"), { params: { target: process.pid } });
  const link = bpf.attach();
  const fd = openSync("input");
  const piece = Buffer.alloc(1237);
  for (let i = 0; i < 2; i++) readSync(fd, piece, 0, 1237, 0);
  link.close();
  show([bpf.maps.asked.get(1237), bpf.maps.given.get(1237)]);
  bpf.close();
`;

kernelTest("an XDP program counts packets by protocol, and drops those of an address", network, async () => {
  using project = new Project({
    "app.js": `${SHOW}
      import { createSocket } from "node:dgram";
      import { setTimeout as wait } from "node:timers/promises";
      import { load } from "skep";
      const bpf = await load(import("./xdp.bpf.ts"));
      const link = bpf.programs.filter.attach({ interface: "lo", mode: "skb" });
      const receiver = createSocket("udp4");
      let received = 0;
      receiver.on("message", () => received++);
      await new Promise((resolve) => receiver.bind(9000, "127.0.0.1", resolve));
      const sender = createSocket("udp4");
      const send = () => new Promise((resolve) => sender.send("hello", 9000, "127.0.0.1", resolve));
      const udp = () => bpf.maps.byProto.get(17).reduce((sum, { packets }) => sum + packets, 0n);
      for (let i = 0; i < 3; i++) await send();
      while (received < 3) await wait(5);
      show([udp(), bpf.maps.byProto.get(17).reduce((sum, { bytes }) => sum + bytes, 0n) === 3n * BigInt(14 + 20 + 8 + 5)]);
      bpf.maps.blocked.set(0x7f000001, 0n);
      for (let i = 0; i < 2; i++) await send();
      while (bpf.maps.blocked.get(0x7f000001) < 2n) await wait(5);
      show([bpf.maps.blocked.get(0x7f000001), received, udp()]);
      link.close();
      await send();
      while (received < 4) await wait(5);
      show([received, udp()]);
      receiver.close();
      sender.close();
      bpf.close();
    `,
  }).take("xdp.bpf.ts");
  assert.deepEqual(await project.json("app.js", { network: true }), [
    [3, true],
    [2, 3, 5],
    [4, 5],
  ]);
});

kernelTest("an iterator's program sees each task when its link is read", { attach: "iterators" }, async () => {
  using project = new Project({
    "tasks.bpf.ts": `
      import { hash, iter, param, str, u32 } from "skep/kernel";
      export const target = param(u32, 0);
      export const names = hash(u32, str(16));
      export const tasks = iter("task", (ctx) => {
        const { task } = ctx;
        if (!task) return;
        if (u32(task.tgid) !== target) return;
        names.set(u32(task.pid), task.comm);
      });
    `,
    "app.js": `${SHOW}
      import { load } from "skep";
      import { readdirSync } from "node:fs";
      process.title = "its-name";
      const bpf = await load(import("./tasks.bpf.ts"), { params: { target: process.pid } });
      const link = bpf.programs.tasks.attach();
      const before = bpf.maps.names.get(process.pid) ?? null;
      link.read();
      show([before, bpf.maps.names.get(process.pid), [...bpf.maps.names].length === readdirSync("/proc/self/task").length]);
      link.close();
      bpf.close();
    `,
  });
  assert.deepEqual(await project.json("app.js"), [[null, "its-name", true]]);
});

kernelTest(
  "kprobes and kretprobes: arguments and results of a function of the kernel",
  { attach: "kprobes", config: "CONFIG_KPROBE_EVENTS" },
  async () => {
    using project = new Project({
      "reads.bpf.ts": `
      import { counter, kprobe, kretprobe, param, pid, u32 } from "skep/kernel";
      export const target = param(u32, 0);
      export const asked = counter(u32);
      export const given = counter(u32);
      export const onRead = kprobe("vfs_read", (ctx) => {
        if (pid() === target) asked.inc(u32(ctx.args[2]));
      });
      export const onReturn = kretprobe("vfs_read", (ctx) => {
        if (pid() === target && ctx.ret >= 0) given.inc(u32(ctx.ret));
      });
    `,
      "app.js": READS,
    });
    assert.deepEqual(await project.json("app.js"), [[2, 2]]);
  },
);

kernelTest("fentry and fexit: the same, typed by the kernel", { attach: "fentry" }, async () => {
  using project = new Project({
    "reads.bpf.ts": `
      import type { file } from "btf:vmlinux";
      import { counter, fentry, fexit, i64, param, pid, u32, u64 } from "skep/kernel";
      export const target = param(u32, 0);
      export const asked = counter(u32);
      export const given = counter(u32);
      function isRegular(of: file): boolean {
        return (of.f_inode.i_mode & 0o170000) === 0o100000;
      }
      export const onRead = fentry("vfs_read", (file, buf, count) => {
        if (pid() === target && isRegular(file)) asked.inc(u32(count));
      });
      export const onReturn = fexit("vfs_read", (ret, file) => {
        if (pid() === target && ret >= 0 && isRegular(file)) given.inc(u32(ret));
      });
    `,
    "app.js": READS,
  });
  assert.deepEqual(await project.json("app.js"), [[2, 2]]);
});

kernelTest("a value for each thread, in task storage", { map: "task_storage" }, async () => {
  using project = new Project({
    "storage.bpf.ts": `
      import { counter, param, pid, task, taskStorage, tpBtf, u32, u64 } from "skep/kernel";
      export const target = param(u32, 0);
      export const calls = taskStorage(u64);
      export const most = counter();
      export const onCall = tpBtf("sys_enter", (regs, id) => {
        if (pid() !== target || id !== 110) return;
        const mine = calls.getOrInsert(task());
        if (mine === undefined) return;
        mine.add(1);
        if (mine.value === 3) most.inc();
      });
    `,
    "app.js": `${SHOW}
      import { load, openPidFd } from "skep";
      const bpf = await load(import("./storage.bpf.ts"), { params: { target: process.pid } });
      const link = bpf.attach();
      for (let i = 0; i < 4; i++) process.ppid;
      link.close();
      const own = openPidFd(process.pid);
      show([bpf.maps.most.value, bpf.maps.calls.get(own)]);
      own.close();
      bpf.close();
    `,
  });
  if (process.arch !== "x64") return;
  assert.deepEqual(await project.json("app.js"), [[1, 4]]);
});

kernelTest("programs go on in others, and send records of several types", async () => {
  using project = new Project({
    "steps.bpf.ts": `
      import { bytes, cgroupArray, nsPidTgid, param, pid, pidTgid, progArray, rawTracepoint, readKernel, ringbuf, struct, u32, u64, userStrInto, zeros } from "skep/kernel";
      export const target = param(u32, 0);
      export const number = param(u64, 0);
      export const Call = struct({ kind: u32, under: u32, ids: u64, own: u64 });
      export const Path = struct({ kind: u32, length: u32, text: bytes(64) });
      export const records = ringbuf({ bytes: 4096 });
      export const steps = progArray(["path"]);
      export const watched = cgroupArray(1);
      export const call = rawTracepoint("sys_enter", (ctx) => {
        if (pid() !== target || u64(ctx.args[1]) !== number) return;
        const under = watched.currentTaskUnder(0) ? 1 : 0;
        records.emit(Call, { kind: 1, under, ids: pidTgid(), own: nsPidTgid(1, 2) });
        steps.tailCall("path");
        records.emit(Call, { kind: 9, under, ids: 0, own: 0 });
      });
      export const path = rawTracepoint("sys_enter", (ctx) => {
        const regs = u64(ctx.args[0]);
        // The first argument of the call: di on x86-64, the first register on arm64.
        const at = readKernel(regs + ${process.arch === "x64" ? 112 : 0}, u64);
        const path = zeros(Path);
        path.kind = 2;
        const length = userStrInto(path.text, at);
        if (length < 0) return;
        path.length = u32(length);
        records.output(path, 8 + length);
      });
    `,
    "app.js": `${SHOW}
      import { load } from "skep";
      import { chdir } from "node:process";
      const numbers = { x64: 80, arm64: 49 };
      const bpf = await load(import("./steps.bpf.ts"), { params: { target: process.pid, number: numbers[process.arch] } });
      const link = bpf.attach();
      chdir("/proc/self/../self/fd/..");
      link.close();
      const seen = [];
      bpf.events.records.consume((record) => {
        const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
        const kind = view.getUint32(0, true);
        if (kind === 2) seen.push([kind, record.length, Buffer.from(record.subarray(8)).toString()]);
        else seen.push([kind, record.length, view.getUint32(4, true), view.getUint32(12, true) === process.pid, view.getUint32(16, true)]);
      });
      show(seen);
      show([bpf.losses.records]);
      bpf.close();
    `,
  });
  const path = "/proc/self/../self/fd/..\0";
  assert.deepEqual(await project.json("app.js"), [
    [
      [1, 24, 0, true, 0],
      [2, 8 + path.length, path],
    ],
    [0],
  ]);
});
