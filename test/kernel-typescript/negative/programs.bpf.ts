// What programs cannot attach to, take and return.
import {
  comm,
  counter,
  fentry,
  fexit,
  interval,
  iter,
  kprobe,
  kretprobe,
  lsm,
  pid,
  profile,
  rawTracepoint,
  str,
  struct,
  syscall,
  tpBtf,
  tracepoint,
  u32,
  uprobe,
  usdt,
} from "skep/kernel";

const hits = counter(u32);
// @ts-expect-error TS2345: the kernel's function is misspelt
export const a = fentry("vfs_raed", () => {});
// @ts-expect-error TS2345: vfs_read has four arguments
export const b = fentry("vfs_read", (file, buf, count, pos, more) => {});
// @ts-expect-error TS2322: fentry gives nothing back
export const c = fentry("vfs_read", (): string => "x");
// @ts-expect-error TS2339: the first argument of fexit is the result, a number
export const d = fexit("vfs_read", (ret) => ret.f_flags);
// @ts-expect-error TS2345: no such hook
export const e = lsm("file_opne", () => 0);
// @ts-expect-error TS2345: a hook must decide
export const f = lsm("file_open", () => {});
// @ts-expect-error TS2322: a hook decides by a number
export const g = lsm("file_open", () => true);
// @ts-expect-error TS2345: no such raw tracepoint
export const h = rawTracepoint("sched_swich", () => {});
// @ts-expect-error TS2493: sched_switch has four arguments
export const i = rawTracepoint("sched_switch", (ctx) => ctx.args[4]);
// @ts-expect-error TS2339: a raw tracepoint has no fields
export const j = rawTracepoint("sched_switch", (ctx) => ctx.prev_pid);
// @ts-expect-error TS2365: the second argument is a task
export const k = tpBtf("sched_switch", (preempt, prev) => prev + 1);
// @ts-expect-error TS2339: a kprobe has arguments and no result
export const l = kprobe("vfs_read", (ctx) => ctx.ret);
// @ts-expect-error TS2339: a kretprobe has a result and no arguments
export const m = kretprobe("vfs_read", (ctx) => ctx.args);
// @ts-expect-error TS2554: a uprobe is in a file
export const n = uprobe("malloc", () => {});
// @ts-expect-error TS2554: a probe has a file, a provider and a name
export const o = usdt("libc", "memory_sbrk_more", () => {});
// @ts-expect-error TS2353: a profile runs so many times a second
export const p = profile({ ms: 10 }, () => {});
// @ts-expect-error TS2353: an interval is of milliseconds
export const q = interval({ hz: 10 }, () => {});
// @ts-expect-error TS2345: no such iterator
export const r = iter("tsk", () => {});
// @ts-expect-error TS18048: the task may not be there
export const s = iter("task", (ctx) => ctx.task.pid);
// @ts-expect-error TS2345: nothing is handed over
export const t = syscall((ctx: u32) => ctx);
// @ts-expect-error TS2339: a struct with `a` is handed over
export const u = syscall(struct({ a: u32 }), (ctx) => ctx.pid);
// @ts-expect-error TS2554: a program has a function
export const v = tracepoint("syscalls:sys_enter_openat");
// @ts-expect-error TS2322: a program gives a number
export const w = tracepoint("syscalls:sys_enter_openat", () => "x");
// @ts-expect-error TS2345: a tracepoint is named with its category
export const x = tracepoint("sys_enter_openat", () => {});
// @ts-expect-error TS2345: the name of a tracepoint is fixed
export const y = tracepoint(`syscalls:${comm()}`, () => hits.inc(pid()));

// @ts-expect-error TS2305: not exported
import { helper } from "skep/kernel";
