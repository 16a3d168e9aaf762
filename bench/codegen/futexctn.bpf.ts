// How long threads wait for locks, by lock and stack: bcc's futexctn.
import {
  array,
  bool,
  cell,
  comm,
  hash,
  i32,
  ktime,
  log2,
  min,
  param,
  pid,
  stackTraces,
  str,
  struct,
  tid,
  tracepoint,
  u32,
  u64,
} from "skep/kernel";

export const summary = param(bool, false);
export const inMs = param(bool, false);
export const targLock = param(u64, 0);
export const targPid = param(u32, 0);
export const targTid = param(u32, 0);

const SLOTS = 36;
const Wait = struct({ ts: u64, uaddr: u64 });
const Key = struct({ pidTgid: u64, uaddr: u64, userStack: i32 });
const Hist = struct({ slots: array(u32, SLOTS), comm: str(16), contended: u64, elapsed: u64, min: u64, max: u64 });

const waits = hash(u64, Wait, { max: 10_240 });
export const stacks = stackTraces(1024);
export const hists = hash(Key, Hist, { max: 10_240 });

const FUTEX_WAIT = 0;
const FUTEX_CMD_MASK = ~(128 | 256);

/** The thread's id below its process's. */
function thread(): u64 {
  return (u64(pid()) << 32) | tid();
}

export const entered = tracepoint("syscalls:sys_enter_futex", ({ uaddr, op }) => {
  if ((op & FUTEX_CMD_MASK) !== FUTEX_WAIT) return;
  if (targPid !== 0 && targPid !== pid()) return;
  if (targTid !== 0 && targTid !== tid()) return;
  if (targLock !== 0 && targLock !== u64(uaddr)) return;
  waits.set(thread(), { uaddr: u64(uaddr), ts: ktime() });
});

export const left = tracepoint("syscalls:sys_exit_futex", ({ ret }) => {
  const now = ktime();
  const wait = waits.get(thread());
  if (!wait) return;
  if (i32(ret) >= 0 && now >= wait.ts) record(wait.uaddr, now - wait.ts);
  waits.delete(thread());
});

function record(uaddr: u64, ns: u64) {
  const hist = hists.getOrInsert(
    summary ? { pidTgid: pid(), uaddr, userStack: 0 } : { pidTgid: thread(), uaddr, userStack: i32(stacks.userId()) },
  );
  if (!hist) return;
  const elapsed = inMs ? ns / 1_000_000 : ns / 1000;
  const slot = min(log2(elapsed), SLOTS - 1);
  cell(hist.slots[slot]).add(1);
  cell(hist.contended).add(1);
  cell(hist.elapsed).add(elapsed);
  const least = hist.min;
  if (least === 0 || least > elapsed) cell(hist.min).cas(least, elapsed);
  const most = hist.max;
  if (most < elapsed) cell(hist.max).cas(most, elapsed);
  hist.comm = comm();
}
