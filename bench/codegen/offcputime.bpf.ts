// How long threads do not run, by the stacks they left the CPU with: bcc's offcputime.

import type { task_struct } from "btf:vmlinux";
import type { Kernel } from "skep/kernel";
import {
  bool,
  cell,
  cpu,
  hash,
  i32,
  i64,
  kernelStr,
  ktime,
  param,
  rawTracepoint,
  stackTraces,
  str,
  struct,
  tpBtf,
  u8,
  u32,
  u64,
} from "skep/kernel";

export const kernelThreadsOnly = param(bool, false);
export const userThreadsOnly = param(bool, false);
export const maxBlockUs = param(u64, 0x1f_ffff_ffff_ffff);
export const minBlockUs = param(u64, 1);
export const filterByTgid = param(bool, false);
export const filterByPid = param(bool, false);
export const state = param(i64, -1);

const Key = struct({ pid: u32, tgid: u32, userStack: i32, kernelStack: i32 });
const Start = struct({ ts: u64, key: Key });
const Value = struct({ delta: u64, comm: str(16) });

const started = hash(u32, Start, { max: 10_240 });
export const stacks = stackTraces(1024);
export const info = hash(Key, Value, { max: 10_240 });
export const tgids = hash(u32, u8, { max: 30 });
export const pids = hash(u32, u8, { max: 30 });

const PF_KTHREAD = 0x0020_0000;

function isWanted(task: task_struct): boolean {
  if (filterByTgid && !tgids.has(u32(task.tgid))) return false;
  if (filterByPid && !pids.has(u32(task.pid))) return false;
  if (userThreadsOnly && (task.flags & PF_KTHREAD) !== 0) return false;
  if (kernelThreadsOnly && (task.flags & PF_KTHREAD) === 0) return false;
  return state === -1 || i64(task.__state) === state;
}

function switched(prev: task_struct, next: task_struct) {
  if (isWanted(prev)) leave(prev);
  const pid = u32(next.pid);
  const start = started.get(pid);
  if (!start) return;
  arrive(start);
  started.delete(pid);
}

/** The thread that stops running. The idle threads of all CPUs are number 0: theirs is told apart by the CPU's. */
function leave(task: task_struct) {
  const pid = task.pid === 0 ? cpu() : u32(task.pid);
  const userStack = (task.flags & PF_KTHREAD) !== 0 ? -1 : i32(stacks.userId());
  const key = { pid, tgid: u32(task.tgid), userStack, kernelStack: i32(stacks.id()) };
  started.set(pid, { ts: ktime(), key });
  info.set(key, { delta: 0, comm: kernelStr(task.comm) }, "noexist");
}

/** The thread that goes on. */
function arrive(start: Kernel<typeof Start>) {
  const now = ktime();
  if (now < start.ts) return;
  const us = (now - start.ts) / 1000;
  if (us < minBlockUs || us > maxBlockUs) return;
  const value = info.ref(start.key);
  if (value) cell(value.delta).add(us);
}

export const switchedBtf = tpBtf("sched_switch", (_preempt, prev, next) => switched(prev, next));
export const switchedRaw = rawTracepoint("sched_switch", (ctx) => switched(ctx.args[1], ctx.args[2]));
