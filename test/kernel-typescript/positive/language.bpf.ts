// What the language and its words can be used for, all of it.

import type { file, task_struct } from "btf:vmlinux";
import {
  abs,
  array,
  arrayMap,
  atMost,
  avg,
  be16,
  be32,
  bool,
  bytes,
  cell,
  cgroupArray,
  cgroupId,
  clz32,
  comm,
  cookie,
  counter,
  cpu,
  EACCES,
  fentry,
  fexit,
  funcIp,
  gid,
  global,
  hash,
  histogram,
  htonl,
  htons,
  i32,
  i64,
  interval,
  iter,
  jiffies,
  kernelStr,
  kernelStrInto,
  kprobe,
  kretprobe,
  ktime,
  ktimeBoot,
  linear,
  log2,
  lsm,
  max,
  min,
  ntohl,
  ntohs,
  nsPidTgid,
  numaNode,
  param,
  pid,
  pidTgid,
  print,
  progArray,
  profile,
  random,
  range,
  rawTracepoint,
  readKernel,
  readKernelInto,
  readUser,
  readUserInto,
  ringbuf,
  signal,
  signalThread,
  stackTraces,
  str,
  struct,
  sum,
  syscall,
  task,
  taskAddress,
  taskRegisters,
  taskStorage,
  tid,
  tpBtf,
  tracepoint,
  u8,
  u16,
  u32,
  u64,
  u64n,
  uid,
  uprobe,
  uretprobe,
  usdt,
  userStr,
  userStrInto,
  zeros,
} from "skep/kernel";

const MASK = 0xff;
const Inner = struct({ a: u8, b: i64 });
const Event = struct({
  at: u64n,
  port: be16,
  address: be32,
  ok: bool,
  name: str(64),
  raw: bytes(4),
  list: array(u32, 3),
  inner: Inner,
});
export const events = ringbuf(Event, { bytes: 1 << 16 });
export const perCpu = hash(u32, Inner, { perCpu: true, max: 64 });
export const lru = hash(struct({ pid: u32, cpu: u32 }), u64, { lru: true });
export const flags = hash(str(16), bool, { pinned: "flags" });
export const slots = arrayMap(Inner, 16);
export const local = arrayMap(u64, 1, { perCpu: true });
export const kept = taskStorage(u64);
export const keptInner = taskStorage(Inner);
export const stacks = stackTraces(1024);
export const calls = counter();
export const byName = counter(str(16), { max: 100 });
export const total = sum(u32);
export const mean = avg(u32);
export const least = min();
export const most = max(u32);
export const sizes = histogram();
export const fine = histogram(u32, { bits: 3 });
export const steps = linear(u32, { min: 0, max: 1000, step: 50 });
export const target = param(u32, 0);
export const verbose = param(bool, false);
export const prefix = param(str(16), "node");
export const seen = global(u64);
export const last = global(Inner, { a: 1, b: 2 });

function isBig(n: u64): boolean {
  return n > 4096 && (n & MASK) === 0;
}

function parentOf(t: task_struct): i32 {
  return t.real_parent.tgid;
}

export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  if (target !== 0 && pid() !== target) return;
  if (verbose) print(`${comm()} opens ${ctx.flags}`, pid());
  const name = comm();
  if (name === "bash" || name.startsWith("node") || name.length === 0 || name[0] === "x") return;
  if (prefix === name || name === userStr(ctx.filename, 128)) return 1;
  calls.inc();
  byName.inc(name);
  byName.add(name, 2);
  total.add(pid(), 5);
  mean.record(pid(), ktime() / 1000);
  least.record(-4);
  most.record(pid(), 7);
  sizes.record(abs(ctx.flags));
  fine.record(pid(), clz32(4) + log2(9));
  steps.record(tid(), 3);
  seen.add(1);
  seen.value = seen.value + 1;
  last.value.a = 2;
  const old = seen.cas(1, 2) + seen.xchg(3);
  if (isBig(old)) seen.add(1);
  const found = lru.ref({ pid: pid(), cpu: cpu() });
  if (found) found.add(1);
  const count = lru.get({ pid: pid(), cpu: cpu() }) ?? 0;
  const inserted = lru.getOrInsert({ pid: 1, cpu: 2 }, count);
  if (inserted !== undefined) inserted.add(1);
  const inner = perCpu.get(uid());
  if (inner !== undefined) cell(inner.b).add(1);
  if (!flags.set("x", true, "noexist")) flags.delete("x");
  const slot = slots.ref(i32(ctx.flags) & 15);
  slot.a = u8(slot.b);
  local.ref(0).add(1);
  for (const i of range(4)) slots.get(i).b = i;
  for (const i of range(0, count, { atMost: 64 })) if (i === 3) break;
  for (const [key, value] of lru) if (value === 0) lru.delete(key);
  let n: u64 = count;
  while (n > 0 && atMost(64)) n >>= 1;
  do n++;
  while (n < 4);
  outer: for (let i = 0; i < 4; i++) {
    switch (i) {
      case 0:
        continue outer;
      default:
        break outer;
    }
  }
  const own = kept.getOrInsert(task());
  if (own) own.add(1);
  const mine = keptInner.get(task());
  if (mine) mine.a = 1;
  keptInner.delete(task());
  const record = events.reserve();
  if (!record) return;
  record.at = ktime();
  record.name = userStr(ctx.filename);
  record.raw[0] = 1;
  for (const element of record.list) if (element === 1) break;
  record.inner = { a: 1, b: i64(stacks.id()) + stacks.userId() };
  if (ctx.mode > 4) record.submit();
  else record.discard();
  return;
});

export const emitting = tracepoint("sched:sched_process_exec", (ctx) => {
  events.emit({
    at: ktimeBoot(),
    port: ntohs(80) + htons(80),
    address: ntohl(1) + htonl(2),
    ok: signal(9) === 0 || signalThread(9) !== 0,
    name: ctx.filename,
    raw: [1, 2, 3, 4],
    list: [gid(), numaNode(), random()],
    inner: { a: min(1, 2), b: max(jiffies(), cgroupId()) },
  });
});

export const onSwitch = tpBtf("sched_switch", (preempt, prev, next) => {
  if (preempt) return;
  total.add(u32(prev.pid), parentOf(next));
  flags.set(kernelStr(next.comm), true);
});
export const onRaw = rawTracepoint("sched_switch", (ctx) => ctx.args[1].pid);
export const onRead = kprobe("vfs_read", (ctx) => {
  sizes.record(ctx.args[2] + funcIp() + cookie());
  const first = readUser(ctx.args[1], u8);
  sizes.record(first + readKernel(ctx.args[3], u64));
});
export const onReturn = kretprobe("vfs_read", (ctx) => (ctx.ret < 0 ? 1 : 0));
export const onMalloc = uprobe("libc", "malloc", (ctx) => sizes.record(ctx.args[0]));
export const onMalloced = uretprobe("libc", "malloc", (ctx) => sizes.record(ctx.ret));
export const onMore = usdt("libc", "libc", "memory_sbrk_more", (ctx) => sizes.record(ctx.args[1]));
export const onEntry = fentry("vfs_read", (file: file, _buf, count) => {
  if (count > 10) sizes.record(file.f_inode.i_ino);
});
export const onExit = fexit("vfs_read", (ret, file) => {
  if (ret > 0 && file.f_flags !== 0) total.add(pid(), ret);
});
export const onFile = lsm("file_open", (file) => (file.f_flags === 1 ? -EACCES : 0));
export const sample = profile({ hz: 99 }, () => byName.inc(comm()));
export const tick = interval({ ms: 100 }, (ctx) => sizes.record(ctx.sample_period));
export const tasks = iter("task", (ctx) => {
  const { task: one } = ctx;
  if (!one) return;
  total.add(u32(one.tgid), 1);
});
export const nothing = syscall(() => 42);
export const given = syscall(Inner, (ctx) => {
  return ctx.a + u16(3);
});
export const addresses = hash(u64, u64);
export const onAddress = fentry("vfs_read", (file) => {
  addresses.set(u64(file), ktime());
});

const Head = struct({ kind: u8, ids: u64 });
const Chunk = struct({ kind: u8, length: u32, data: bytes(64), words: array(u64, 4) });
export const records = ringbuf({ bytes: 1 << 16 });
export const next = progArray(["copy", "finish"]);
export const watched = cgroupArray(4);
export const copy = rawTracepoint("sys_enter", (ctx) => {
  if (!watched.currentTaskUnder(cpu() & 3)) return;
  const chunk = zeros(Chunk);
  chunk.kind = 1;
  const read = userStrInto(chunk.data, u64(ctx.args[1]));
  if (read > 0) records.output(chunk, 8 + read);
  const length = min(u64(ctx.args[1]), 32);
  if (readUserInto(chunk.words, taskAddress(), length) !== 0) return;
  if (readKernelInto(chunk, u64(taskRegisters())) < 0 || kernelStrInto(chunk.data, taskAddress()) < 0) return;
  const head = records.reserve(Head);
  if (head) {
    head.ids = nsPidTgid(1, 2);
    head.submit();
  }
  if (length < 2) records.output(chunk);
  else if (records.emit(Head, { kind: 2, ids: pidTgid() })) sizes.record(chunk.words[length & 3]!);
});
export const finish = rawTracepoint("sys_enter", (ctx) => {
  if (ctx.args[1] > 3) next.tailCall(u64(ctx.args[1]) & 1);
  next.tailCall("copy");
});
