// `skep trace -c`: nothing is copied, each call is added to the statistics of its number.
import {
  array,
  arrayMap,
  cell,
  i64,
  type Kernel,
  ktime,
  rawTracepoint,
  readKernel,
  struct,
  taskAddress,
  tracepoint,
  u32,
  u64,
} from "skep/kernel";
import { ABI, COMPARE_EXCHANGE } from "./options.bpf.ts";
import { BUCKETS, OTHER_PLAN, PLANS, ThreadFlag } from "./protocol.bpf.ts";
import { belongs, control, follow, followChild, registersOf, type Thread, threads } from "./threads.bpf.ts";

const Stats = struct({
  errors: u64,
  total: u64,
  max: u64,
  unfinished: u64,
  refused: u64,
  histogram: array(u64, BUCKETS),
});

/** By number; those of each CPU. Another thread may come in between all the same, so only atomic operations change them. */
export const stats = arrayMap(Stats, PLANS, { perCpu: true });

/** Where a call is counted: those that no table has together, and so those of 32-bit programs. */
function statsIndex(number: u32, flags: u32): u32 {
  return (flags & ThreadFlag.compat) !== 0 || number >= PLANS ? OTHER_PLAN : number;
}

export const fork = rawTracepoint("sched_process_fork", (ctx) => {
  followChild(ctx.args[1]);
});
/** Where a program is skipped because another thread was preempted in it, its second copy is not (Linux 7). */
export const fork_2 = rawTracepoint("sched_process_fork", (ctx) => {
  followChild(ctx.args[1]);
});

/** A thread ends. exit and exit_group never return: they are counted without time. */
function ended(): void {
  const task = taskAddress();
  const state = threads.get(task);
  if (state === undefined) return;
  if ((state.flags & ThreadFlag.pending) === 0 && state.start !== 0)
    cell(stats.ref(statsIndex(state.nr, state.flags)).unfinished).add(1);
  threads.delete(task);
}

export const thread_exit = rawTracepoint("sched_process_exit", () => ended());
export const thread_exit_perf = tracepoint("sched:sched_process_exit", () => ended());

/** Whether the call starts another program, which may be of the other instruction set. */
function isExec(number: u64): boolean {
  return number === ABI.execve || number === ABI.execveat;
}

/**
 * What is to be done first for a thread with flags; false when the call is not to be noted. The table of numbers that it uses is
 * read from its registers when it is new and after each exec, not at every call.
 */
function prepare(state: Kernel<typeof Thread>, number: u64, registers: u64): boolean {
  let { flags } = state;
  if ((flags & ThreadFlag.pending) !== 0) {
    // Between fork and exec the thread still does Skep's own work.
    if (!isExec(number)) return false;
    flags ^= ThreadFlag.pending;
  }
  if ((flags & ThreadFlag.compat) !== 0 && (number === ABI.compat.execve || number === ABI.compat.execveat)) {
    state.flags = flags | ThreadFlag.learn;
    return true;
  }
  if ((flags & (ThreadFlag.fresh | ThreadFlag.learn)) !== 0)
    flags = isCompat(registersOf(registers)) ? ThreadFlag.compat : 0;
  state.flags = isExec(number) ? flags | ThreadFlag.learn : flags;
  return true;
}

function isCompat(registers: u64): boolean {
  return (readKernel(registers + ABI.compat.offset, u32) & ABI.compat.mask) === ABI.compat.value;
}

function entered(number: u64, registers: u64): void {
  const task = taskAddress();
  let state = threads.get(task);
  if (state === undefined) {
    if (!belongs()) return;
    follow(task, ThreadFlag.fresh);
    state = threads.get(task);
    if (state === undefined) return;
  }
  if (state.flags !== 0) {
    if (!prepare(state, number, registers)) return;
  } else if (isExec(number)) state.flags = ThreadFlag.learn;
  state.nr = u32(number);
  state.start = ktime();
}

export const enter = rawTracepoint("sys_enter", (ctx) => entered(ctx.args[1], ctx.args[0]));
export const enter_perf = tracepoint("raw_syscalls:sys_enter", (ctx) => entered(u64(ctx.id), 0));

/** Errors are returned as −4095 … −1 (MAX_ERRNO in the kernel's err.h). */
function isError(result: i64): boolean {
  return result < 0 && result >= -4095;
}

/** The end of a call whose entry was not seen: of the one that made the thread, or of one that a seccomp filter answered. */
function neverEntered(state: Kernel<typeof Thread>, result: i64, registers: u64): void {
  const { flags } = state;
  if ((flags & ThreadFlag.pending) !== 0) return;
  if ((flags & ThreadFlag.fresh) !== 0) {
    state.flags = (flags ^ ThreadFlag.fresh) | ThreadFlag.learn;
    return;
  }
  // It has a result, and no time; its number is in the registers.
  const number = readKernel(registersOf(registers) + ABI.from + 8 * ABI.number, u32);
  state.nr = number;
  const row = stats.ref(statsIndex(number, flags));
  cell(row.refused).add(1);
  if (isError(result)) cell(row.errors).add(1);
}

/** The bucket of a duration (layout.ts, `bucketOf`): four to each power of two. */
function bucketOf(ns: u64): u64 {
  if (ns < 4) return ns;
  // The power of two is found in halves: short calls pass all but the last comparisons at one instruction each.
  let rest = ns;
  let log: u64 = 0;
  if (rest >> 32 !== 0) {
    rest >>= 32;
    log = 32;
  }
  if (rest >= 0x10000) {
    rest >>= 16;
    log += 16;
  }
  if (rest >= 0x100) {
    rest >>= 8;
    log += 8;
  }
  if (rest >= 0x10) {
    rest >>= 4;
    log += 4;
  }
  if (rest >= 4) {
    rest >>= 2;
    log += 2;
  }
  if (rest >= 2) log += 1;
  // The two bits below the leading one choose the quarter.
  const bucket = log * 4 + ((ns >> ((log - 2) & 63)) & 3);
  return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/** Raises the maximum. */
function raise(row: Kernel<typeof Stats>, ns: u64): void {
  if (!COMPARE_EXCHANGE) {
    row.max = ns;
    return;
  }
  let known = row.max;
  // Each failed try means that another thread raised it; four are more than ever meet on one CPU.
  for (let i = 0; i < 4; i++) {
    if (known >= ns) return;
    const found = cell(row.max).cas(known, ns);
    if (found === known) return;
    known = found;
  }
}

function count(row: Kernel<typeof Stats>, result: i64, ns: u64): void {
  if (isError(result)) cell(row.errors).add(1);
  cell(row.total).add(ns);
  if (row.max < ns) raise(row, ns);
  cell(row.histogram[bucketOf(ns)]!).add(1);
}

function exited(result: i64, registers: u64): void {
  const task = taskAddress();
  const state = threads.get(task);
  if (state === undefined) {
    // Found inside a call that began before the tracing.
    if (belongs()) follow(task, ThreadFlag.learn);
    return;
  }
  const { start } = state;
  if (start === 0) {
    neverEntered(state, result, registers);
    return;
  }
  const ns = ktime() - start;
  state.start = 0;
  count(stats.ref(statsIndex(state.nr, state.flags)), result, ns);
}

export const exit = rawTracepoint("sys_exit", (ctx) => exited(i64(ctx.args[1]), ctx.args[0]));
export const exit_perf = tracepoint("raw_syscalls:sys_exit", (ctx) => exited(ctx.ret, 0));

/** Says whose next child is the command: run by hand, never attached. */
export const who = rawTracepoint("sys_enter", () => {
  control.get(0).parent = taskAddress();
});
