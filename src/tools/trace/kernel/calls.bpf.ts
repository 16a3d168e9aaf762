// `skep trace`: a record for each call, with what its arguments point to; births, ends and signals of threads.
import {
  cell,
  i64,
  type Kernel,
  ktime,
  progArray,
  rawTracepoint,
  readKernel,
  taskAddress,
  tracepoint,
  type u8,
  u16,
  u32,
  u64,
} from "skep/kernel";
import { captureNext } from "./captures.bpf.ts";
import { ABI, GENERAL } from "./options.bpf.ts";
import { ALL_PLANS, PlanUse, RecordKind, ThreadFlag } from "./protocol.bpf.ts";
import {
  BirthRecord,
  choosePlan,
  events,
  ForkRecord,
  LifeRecord,
  lifeDropped,
  type Plan,
  reportCall,
  syscalls,
} from "./records.bpf.ts";
import {
  belongs,
  control,
  failedOnly,
  follow,
  followChild,
  ids,
  minNs,
  readArguments,
  registersOf,
  type Thread,
  threads,
} from "./threads.bpf.ts";

/** At entry the return value is not known: captures clipped by it are not clipped. */
const ANY_LENGTH = 0x7fffffff;
/** Every capture of the entry is still to be made. */
const ALL_FAULTED = 0x7fffffff;
const SIGKILL = 9;

/** Programs that continue where another ended. (An image for perf's tracepoints has the others of this name.) */
export const steps = progArray(["capture", "report"]);

function forked(child: u64): void {
  if (!followChild(child)) return;
  const state = threads.get(taskAddress());
  if (state === undefined) return;
  const own = ids();
  const sent = events.emit(ForkRecord, {
    kind: RecordKind.fork,
    flags: 0,
    code: u16(state.nr),
    seq: state.seq,
    ids: own,
    child,
    arg0: state.args[0],
  });
  if (!sent) lifeDropped();
}

export const fork = rawTracepoint("sched_process_fork", (ctx) => forked(ctx.args[1]));
/** Where a program is skipped because another thread was preempted in it, its second copy is not (Linux 7). */
export const fork_2 = rawTracepoint("sched_process_fork", (ctx) => forked(ctx.args[1]));

/** The call in flight, unless the filters need a result that it will never have. */
function reportUnfinished(state: Kernel<typeof Thread>): void {
  if (GENERAL && failedOnly) return;
  const duration = ktime() - state.start;
  if (GENERAL && duration < minNs) return;
  // Neither of these is said of it.
  state.flags &= ThreadFlag.compat;
  reportCall(state, RecordKind.unfinished, duration, 0);
}

/** A thread ends; a call it was in stays unfinished. */
function ended(): void {
  const task = taskAddress();
  const state = threads.get(task);
  if (state === undefined) return;
  if ((state.flags & ThreadFlag.pending) === 0) {
    if (state.start !== 0) reportUnfinished(state);
    reportLife(state, RecordKind.exit, 0);
  }
  threads.delete(task);
}

export const thread_exit = rawTracepoint("sched_process_exit", () => ended());
export const thread_exit_perf = tracepoint("sched:sched_process_exit", () => ended());

/**
 * A signal is sent to a traced thread. Where it is to end the process, the kernel delivers SIGKILL in its place: only here its name
 * can be had.
 */
function signalSent(signal: u64, task: u64, result: u64): void {
  if (result !== 0) return;
  // Those that never end a process have nothing to do with it: SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, and
  // SIGWINCH (signal(7)), alike on x86-64 and arm64.
  if ((signal >= 17 && signal <= 23) || signal === 28) return;
  const state = threads.get(task);
  if (state !== undefined) state.signal = u16(signal);
}

export const signal_sent = rawTracepoint("signal_generate", (ctx) => signalSent(ctx.args[0], ctx.args[2], ctx.args[4]));
export const signal_sent_2 = rawTracepoint("signal_generate", (ctx) =>
  signalSent(ctx.args[0], ctx.args[2], ctx.args[4]),
);

/** A signal reaches a traced thread. */
function signalDelivered(delivered: u64): void {
  const state = threads.get(taskAddress());
  if (state === undefined || (state.flags & ThreadFlag.pending) !== 0) return;
  const sent = state.signal;
  state.signal = 0;
  // Nobody sent it: so the kernel ends the other threads of a process that exits or executes.
  if (delivered === SIGKILL && sent === 0) return;
  reportLife(state, RecordKind.signal, delivered === SIGKILL ? sent : u16(delivered));
}

export const signal = rawTracepoint("signal_deliver", (ctx) => signalDelivered(ctx.args[0]));
export const signal_perf = tracepoint("signal:signal_deliver", (ctx) => signalDelivered(u32(ctx.sig)));

function reportLife(state: Kernel<typeof Thread>, kind: u8, code: u16): void {
  const own = ids();
  const time = ktime();
  const sent = events.emit(LifeRecord, { kind, flags: 0, code, seq: state.seq, ids: own, time });
  if (!sent) lifeDropped();
}

/** A new thread, from itself: only here are its ids known. */
function reportBirth(state: Kernel<typeof Thread>, self: u64): void {
  const own = ids();
  const sent = events.emit(BirthRecord, { kind: RecordKind.birth, flags: 0, code: 0, seq: state.seq, ids: own, self });
  if (!sent) lifeDropped();
}

/** Begins with a call that is wanted. */
function begin(state: Kernel<typeof Thread>, faulted: u32): void {
  state.seq += 1;
  state.faulted = faulted;
  state.ids = ids();
  state.start = ktime();
}

/** Begins with a call that is wanted; whether captures are to be made before it runs, and then says which. */
function captureAtEntry(state: Kernel<typeof Thread>, plan: Kernel<typeof Plan>): boolean {
  if (plan.enabled === 0) {
    state.start = 0;
    // Not to be taken for one that was never entered.
    state.flags |= ThreadFlag.skipped;
    return false;
  }
  state.ids = ids();
  state.start = ktime();
  if (plan.atEntry === 0) return false;
  state.end = plan.atEntry;
  state.next = 0;
  state.part = 0;
  state.ending = 0;
  state.ret = ANY_LENGTH;
  return true;
}

/** Notes the call in the thread's state, and copies what must be copied before it runs (paths, buffers written). */
function entered(number: u64, registers: u64): void {
  const task = taskAddress();
  let state = threads.get(task);
  if (state === undefined) {
    if (!belongs()) return;
    follow(task, ThreadFlag.fresh);
    state = threads.get(task);
    if (state === undefined) return;
  }
  const { flags } = state;
  if (flags !== 0) {
    // Between fork and exec the thread still does Skep's own work.
    if ((flags & ThreadFlag.pending) !== 0 && number !== ABI.execve && number !== ABI.execveat) return;
    if ((flags & ThreadFlag.fresh) !== 0) reportBirth(state, task);
  }
  state.nr = u32(number);
  state.seq += 1;
  state.faulted = 0;
  // The flags are written anew with the arguments.
  readArguments(state, registersOf(registers));
  const plan = choosePlan(state, u32(number), state.flags);
  if (captureAtEntry(state, syscalls.get(0)[plan]!)) steps.tailCall("capture");
}

export const enter = rawTracepoint("sys_enter", (ctx) => entered(ctx.args[1], ctx.args[0]));
export const enter_perf = tracepoint("raw_syscalls:sys_enter", (ctx) => entered(u64(ctx.id), 0));

/**
 * The end of a call whose entry was not seen. A new thread's first event is the return from the call that made it. Else the kernel
 * never came to the call: a seccomp filter answered, and that is told by the registers alone. 0, or as what it is reported.
 */
function withoutEntry(state: Kernel<typeof Thread>, task: u64): u32 {
  const { flags } = state;
  if ((flags & ThreadFlag.pending) !== 0) return 0;
  if ((flags & ThreadFlag.fresh) !== 0) {
    reportBirth(state, task);
    state.flags = flags ^ ThreadFlag.fresh;
    return 0;
  }
  if ((flags & ThreadFlag.skipped) !== 0) {
    state.flags = flags ^ ThreadFlag.skipped;
    return 0;
  }
  return ThreadFlag.refused;
}

/** A call of which only the end is seen: number and arguments are still in the registers, what they point to is read now. */
function notEntered(state: Kernel<typeof Thread>, registers: u64, flag: u32): boolean {
  const number = readArguments(state, registers);
  if (ABI.savedFirst !== 0) state.args[0] = readKernel(registers + ABI.savedFirst, u64);
  state.nr = number;
  const plan = choosePlan(state, number, state.flags);
  state.flags |= flag;
  if (syscalls.get(0)[plan]!.enabled === 0) return false;
  begin(state, ALL_FAULTED);
  // One that was under way may have taken any time.
  state.duration = GENERAL && flag === ThreadFlag.resumed ? minNs : 0;
  return true;
}

/** Errors are returned as −4095 … −1 (MAX_ERRNO in the kernel's err.h). */
function isError(result: i64): boolean {
  return result < 0 && result >= -4095;
}

/** Whether --failed or --min-us leave the call out; not those that the reader's table of files needs. */
function isLeftOut(state: Kernel<typeof Thread>, plan: Kernel<typeof Plan>, result: i64): boolean {
  if ((plan.enabled & PlanUse.files) !== 0) return false;
  return (failedOnly && !isError(result)) || state.duration < minNs;
}

/** Where captures are to be made at exit, says which; false when there are none. */
function captureAtExit(state: Kernel<typeof Thread>, plan: Kernel<typeof Plan>, result: i64): boolean {
  const { atEntry } = plan;
  // From the first one that was not readable at entry, or from those of the exit; those mostly of a call that succeeded.
  const end = result >= 0 || plan.evenFailed !== 0 ? atEntry + plan.atExit : atEntry;
  const next = state.faulted !== 0 ? 0 : atEntry;
  if (next >= end) return false;
  state.next = next;
  state.end = u32(end) & 0xff;
  state.part = 0;
  state.ending = 1;
  return true;
}

/** Reports the call; where captures go first, the report is made by a step of its own. */
function exited(result: i64, registers: u64): void {
  const task = taskAddress();
  let state = threads.get(task);
  let flag: u32 = 0;
  if (state === undefined) {
    if (!belongs()) return;
    follow(task, ThreadFlag.fresh);
    state = threads.get(task);
    if (state === undefined) return;
    // Found inside a call that began before the tracing.
    flag = ThreadFlag.resumed;
  } else if (state.start === 0) {
    flag = withoutEntry(state, task);
    if (flag === 0) return;
  }
  if (flag !== 0) {
    if (!notEntered(state, registersOf(registers), flag)) return;
  } else state.duration = ktime() - state.start;
  if (GENERAL && isLeftOut(state, syscalls.get(0)[state.plan & (ALL_PLANS - 1)]!, result)) {
    state.start = 0;
    return;
  }
  state.ret = result;
  if (captureAtExit(state, syscalls.get(0)[state.plan & (ALL_PLANS - 1)]!, result)) steps.tailCall("capture");
  reportCall(state, RecordKind.call, state.duration, result);
  state.start = 0;
}

export const exit = rawTracepoint("sys_exit", (ctx) => exited(i64(ctx.args[1]), ctx.args[0]));
export const exit_perf = tracepoint("raw_syscalls:sys_exit", (ctx) => exited(ctx.ret, 0));

/** The last step of a call whose captures are made: its report. */
function reported(): void {
  const state = threads.get(taskAddress());
  if (state === undefined) return;
  reportCall(state, RecordKind.call, state.duration, state.ret);
  state.start = 0;
}

export const report = rawTracepoint("sys_exit", () => reported());
export const report_perf = tracepoint("raw_syscalls:sys_exit", () => reported());

/** Makes the next capture, then what comes behind it: the same again, another, the report, or nothing. */
function captured(): void {
  const state = threads.get(taskAddress());
  if (state === undefined) return;
  if (!captureNext(state, syscalls.get(0)[state.plan & (ALL_PLANS - 1)]!)) {
    const next = state.next + 1;
    state.part = 0;
    state.next = u32(next) & 0xff;
    if (next >= state.end) {
      if (state.ending === 0) return;
      steps.tailCall("report");
    }
  }
  steps.tailCall("capture");
  // Only when the kernel's limit of 33 steps is exceeded, which four captures cannot do; if ever, it is counted.
  if (state.ending === 0) return;
  state.start = 0;
  cell(control.get(0).droppedCalls).add(1);
}

export const capture = rawTracepoint("sys_enter", () => captured());
export const capture_perf = tracepoint("raw_syscalls:sys_enter", () => captured());

/** Says whose next child is the command: run by hand, never attached. */
export const who = rawTracepoint("sys_enter", () => {
  control.get(0).parent = taskAddress();
});
