import { Assembler, type Instruction, r0, r1, r2, r3, r4, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import { continueWithCaptures } from "./capture-program.ts";
import {
  adoptThread,
  CONTEXT,
  callArguments,
  callHeader,
  callNumber,
  callRegisters,
  currentIds,
  loadPlan,
  lookupThread,
  reserve,
  SCRATCH,
  submit,
  unique,
} from "./common.ts";
import { lookupPlan, REGS, readArguments, reportBirth, statsIndex } from "./enter.ts";
import {
  BUCKETS,
  CallRecord,
  Control,
  Header,
  Plan,
  PlanUse,
  RecordFlag,
  RecordKind,
  Stats,
  Thread,
  ThreadFlag,
} from "./layout.ts";
import type { KernelOptions } from "./options.ts";

/** Errors are returned as −4095 … −1 (MAX_ERRNO in the kernel's err.h). */
const MIN_ERROR = -4095;
/** Every capture of the entry is still to be made. */
const ALL_FAULTED = 0x7fffffff;

/** `raw_tp/sys_exit` (arguments: pt_regs, return value): reports the call, or adds it to the statistics. */
export function exitProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  callArguments(a, options, "exit");
  lookupThread(a);
  if (options.target === "command") {
    a.jeq(r0, 0, "end");
  } else {
    a.jne(r0, 0, "known");
    adoptThread(a, options, REGS, "end");
    // Found inside a call that began before the tracing.
    a.mov(r9, r0);
    if (options.mode === "calls") notEntered(a, options, ThreadFlag.resumed);
    else a.store("u32", r9, Thread.flags, ThreadFlag.learn).ja("end");
  }
  a.label("known").mov(r9, r0);
  a.load("u64", r1, r9, Thread.start).jne(r1, 0, "finished");
  withoutEntry(a, options);
  a.label("finished")
    .call("ktime_get_ns")
    .load("u64", r1, r9, Thread.start)
    .sub(r0, r1)
    .store("u64", r9, Thread.duration, r0);
  a.label("timed");
  if (options.mode === "summary") {
    a.store("u64", r9, Thread.start, 0);
    addToStats(a, options);
  } else {
    filters(a, options);
    capturesAtExit(a);
    reportCall(a);
    a.label("done").store("u64", r9, Thread.start, 0);
  }
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

/**
 * The end of a call whose entry was not seen. A new thread's first event is the return from the call that made it. Else the
 * kernel never came to the call: a seccomp filter answered, and that is told by the registers alone.
 */
function withoutEntry(a: Assembler, options: KernelOptions): void {
  a.load("u32", r1, r9, Thread.flags).mov(r2, r1).and(r2, ThreadFlag.pending).jne(r2, 0, "end");
  a.mov(r2, r1).and(r2, ThreadFlag.fresh).jeq(r2, 0, "not_new");
  if (options.mode === "calls") {
    reportBirth(a, options, r9);
    a.load("u32", r1, r9, Thread.flags).and(r1, ~ThreadFlag.fresh).store("u32", r9, Thread.flags, r1);
  } else {
    a.and(r1, ~ThreadFlag.fresh).or(r1, ThreadFlag.learn).store("u32", r9, Thread.flags, r1);
  }
  a.ja("end").label("not_new");
  if (options.mode === "calls") {
    a.mov(r2, r1).and(r2, ThreadFlag.skipped).jeq(r2, 0, "refused");
    a.and(r1, ~ThreadFlag.skipped).store("u32", r9, Thread.flags, r1).ja("end");
    a.label("refused");
    notEntered(a, options, ThreadFlag.refused);
  } else {
    countRefused(a, options);
  }
}

/** Leaves by `done` when --failed or --min-us say so, except with calls that the reader's table of files needs. */
function filters(a: Assembler, options: KernelOptions): void {
  if (!options.failedOnly && options.minNs === 0) return;
  loadPlan(a);
  a.load("u8", r1, r8, Plan.enabled).and(r1, PlanUse.files).jne(r1, 0, "kept");
  if (options.failedOnly) a.jsge(r7, 0, "done").jslt(r7, MIN_ERROR, "done");
  if (options.minNs > 0) a.load("u64", r1, r9, Thread.duration).loadImm64(r2, options.minNs).jlt(r1, r2, "done");
  a.label("kept");
}

/** Leaves for the captures when there are any; the report is then made by a step of its own. */
function capturesAtExit(a: Assembler): void {
  a.store("u64", r9, Thread.ret, r7);
  loadPlan(a);
  // From the first one that was not readable at entry, or from those of the exit; those mostly of a call that succeeded.
  a.load("u8", r2, r8, Plan.atEntry)
    .mov(r3, r2)
    .jsge(r7, 0, "succeeded_or_all")
    .load("u8", r1, r8, Plan.evenFailed)
    .jeq(r1, 0, "failed")
    .label("succeeded_or_all")
    .load("u8", r1, r8, Plan.atExit)
    .add(r3, r1)
    .label("failed");
  a.load("u32", r1, r9, Thread.faulted).jeq(r1, 0, "none_faulted").mov(r2, 0).label("none_faulted");
  a.jge(r2, r3, "captured").store("u8", r9, Thread.next, r2).store("u8", r9, Thread.end, r3);
  a.store("u8", r9, Thread.part, 0).store("u8", r9, Thread.ending, 1).load("u64", r6, r10, CONTEXT);
  continueWithCaptures(a, r6);
  a.label("captured");
}

/** The last step of a call whose captures are made: its report. */
export function reportProgram(): readonly Instruction[] {
  const a = new Assembler();
  lookupThread(a);
  a.jeq(r0, 0, "end").mov(r9, r0);
  reportCall(a);
  a.label("done").store("u64", r9, Thread.start, 0).label("end").mov(r0, 0).exit();
  return a.instructions();
}

function reportCall(a: Assembler): void {
  reserve(a, CallRecord.size, Control.droppedCalls, "done");
  a.mov(r8, r0);
  a.store("u32", r8, Header.kind, RecordKind.call);
  callHeader(a, r8, 0, r9);
  // These three have the same bits in both.
  a.load("u32", r1, r9, Thread.flags)
    .and(r1, RecordFlag.compat | RecordFlag.resumed | RecordFlag.refused)
    .store("u8", r8, Header.flags, r1);
  callNumber(a, r8, r9);
  a.load("u64", r1, r9, Thread.start).store("u64", r8, CallRecord.start, r1);
  a.load("u64", r1, r9, Thread.duration).store("u64", r8, CallRecord.duration, r1);
  a.load("u64", r1, r9, Thread.ret).store("u64", r8, CallRecord.ret, r1);
  for (let i = 0; i < 6; i++) a.load("u64", r1, r9, Thread.args + 8 * i).store("u64", r8, CallRecord.args + 8 * i, r1);
  submit(a, r8);
}

/**
 * A call of which only the end is seen: number and arguments are still in the registers, what they point to is read now.
 * Goes on at `timed`, with the time it took unknown, or to `end` when the call is not wanted.
 */
function notEntered(a: Assembler, options: KernelOptions, flag: number): void {
  const { abi } = options;
  callRegisters(a, options);
  readArguments(a, options, r6);
  if (abi.savedFirst !== undefined) {
    a.mov(r1, r9).add(r1, Thread.args).mov(r2, 8).mov(r3, r6).add(r3, abi.savedFirst).call("probe_read_kernel");
  }
  a.load("u32", r1, r10, REGS + abi.number)
    .store("u32", r9, Thread.nr, r1)
    .load("u32", r2, r9, Thread.flags)
    .mov(r3, r2)
    .or(r3, flag)
    .store("u32", r9, Thread.flags, r3);
  lookupPlan(a, r1, r2);
  a.load("u8", r1, r8, Plan.enabled).jeq(r1, 0, "end");
  a.load("u32", r1, r9, Thread.seq).add(r1, 1).store("u32", r9, Thread.seq, r1);
  a.store("u32", r9, Thread.faulted, ALL_FAULTED);
  currentIds(a, options);
  a.store("u64", r9, Thread.ids, r0).call("ktime_get_ns").store("u64", r9, Thread.start, r0);
  // One that was under way may have taken any time.
  if (flag === ThreadFlag.resumed) a.loadImm64(r1, options.minNs);
  else a.mov(r1, 0);
  a.store("u64", r9, Thread.duration, r1).ja("timed");
}

/** Counts a call that was never entered: it has a result, and no time. */
function countRefused(a: Assembler, options: KernelOptions): void {
  callRegisters(a, options);
  a.mov(r1, r10)
    .add(r1, SCRATCH)
    .mov(r2, 4)
    .mov(r3, r6)
    .add(r3, options.abi.from + options.abi.number)
    .call("probe_read_kernel");
  a.load("u32", r1, r10, SCRATCH).store("u32", r9, Thread.nr, r1);
  lookupStats(a);
  a.mov(r1, 1).atomicAdd("u64", r8, Stats.refused, r1);
  countError(a);
  a.ja("end");
}

/** Adds the call to the statistics of this CPU. Only atomic operations: another thread may come in between. */
function addToStats(a: Assembler, options: KernelOptions): void {
  lookupStats(a);
  countError(a);
  a.load("u64", r6, r9, Thread.duration).atomicAdd("u64", r8, Stats.total, r6);
  maximum(a, options);
  bucket(a);
  a.lsh(r2, 3).add(r8, r2).mov(r1, 1).atomicAdd("u64", r8, Stats.histogram, r1);
}

/** r8 = this CPU's statistics of the call in the state (r9), or a jump to `end`. Clobbers r0–r5. */
function lookupStats(a: Assembler): void {
  a.load("u32", r1, r9, Thread.nr).load("u32", r2, r9, Thread.flags);
  statsIndex(a, r1, r2);
  a.store("u32", r10, SCRATCH, r1)
    .loadMap(r1, "stats")
    .mov(r2, r10)
    .add(r2, SCRATCH)
    .call("map_lookup_elem")
    .jeq(r0, 0, "end")
    .mov(r8, r0);
}

/** Adds to the errors of the statistics in r8 when the result in r7 is one. */
function countError(a: Assembler): void {
  const succeeded = unique("succeeded");
  a.jsge(r7, 0, succeeded)
    .jslt(r7, MIN_ERROR, succeeded)
    .mov(r1, 1)
    .atomicAdd("u64", r8, Stats.errors, r1)
    .label(succeeded);
}

/** Raises the maximum to r6. */
function maximum(a: Assembler, options: KernelOptions): void {
  a.load("u64", r0, r8, Stats.max).jge(r0, r6, "maximum_done");
  if (!options.compareExchange) {
    a.store("u64", r8, Stats.max, r6);
  } else {
    // Each failed try means that another thread raised it; four are more than ever meet on one CPU.
    for (let i = 0; i < 4; i++) {
      a.mov(r1, r0).cmpxchg("u64", r8, Stats.max, r6).jeq(r0, r1, "maximum_done").jge(r0, r6, "maximum_done");
    }
  }
  a.label("maximum_done");
}

/** r2 = the bucket (layout.ts, `bucketOf`) of the duration in r6. Clobbers r1, r3, r4. */
function bucket(a: Assembler): void {
  a.mov(r2, r6).jlt(r6, 4, "bucket_known");
  a.mov(r1, r6).mov(r3, 0);
  for (const step of [32, 16, 8, 4, 2, 1]) {
    a.mov(r4, r1).rsh(r4, step).jeq(r4, 0, `below_${step}`).mov(r1, r4).add(r3, step).label(`below_${step}`);
  }
  // r3 = floor(log2); the two bits below the leading one choose the quarter.
  a.mov(r2, r3).lsh(r2, 2).sub(r3, 2).mov(r1, r6).rsh(r1, r3).and(r1, 3).add(r2, r1);
  a.label("bucket_known")
    .jlt(r2, BUCKETS, "bucket_inside")
    .mov(r2, BUCKETS - 1)
    .label("bucket_inside");
}
