// Who wakes whom, and how long it was waited for: bcc's wakeuptime.
import {
  bool,
  comm,
  hash,
  i32,
  kernelStr,
  ktime,
  param,
  pid,
  stackTraces,
  str,
  struct,
  tid,
  tpBtf,
  u32,
  u64,
} from "skep/kernel";

export const targPid = param(u32, 0);
export const maxBlockNs = param(u64, 0x1f_ffff_ffff_ffff);
export const minBlockNs = param(u64, 1);
export const userThreadsOnly = param(bool, false);

const Key = struct({ waker: str(16), target: str(16), wakerStack: i32 });
export const counts = hash(Key, u64, { max: 10_240 });
const started = hash(u32, u64, { max: 10_240 });
export const stacks = stackTraces(1024);

const PF_KTHREAD = 0x0020_0000;

export const left = tpBtf("sched_switch", (_preempt, prev) => {
  if (targPid !== 0 && targPid !== pid()) return;
  if (userThreadsOnly && (prev.flags & PF_KTHREAD) !== 0) return;
  started.set(tid(), ktime());
});

export const woken = tpBtf("sched_wakeup", (task) => {
  if (targPid !== 0 && targPid !== u32(task.tgid)) return;
  const thread = u32(task.pid);
  const since = started.get(thread);
  if (since === undefined) return;
  started.delete(thread);
  const delta = ktime() - since;
  if (delta < minBlockNs || delta > maxBlockNs) return;
  const count = counts.getOrInsert({ wakerStack: i32(stacks.id()), target: kernelStr(task.comm), waker: comm() });
  if (count) count.add(delta);
});
