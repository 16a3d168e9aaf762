import { Assembler, type Instruction, r0, r1, r2, r3, r4, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import { continueWithCaptures } from "./capture-program.ts";
import {
  adoptThread,
  CONTEXT,
  callArguments,
  callHeader,
  callRegisters,
  currentIds,
  lookupThread,
  reserve,
  SCRATCH,
  submit,
} from "./common.ts";
import { lookupPlan, planIndex, REGS, readArguments, reportBirth } from "./enter.ts";
import {
  BUCKETS,
  CallRecord,
  Control,
  Header,
  PLANS,
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
    // Found inside a call that began before the tracing: its number and arguments are still in the registers.
    a.mov(r9, r0);
    if (options.mode === "calls") reportResumed(a, options);
    a.ja("end");
  }
  a.label("known").mov(r9, r0);
  a.load("u64", r1, r9, Thread.start).jne(r1, 0, "finished");
  if (options.mode === "calls") {
    // A new thread's first event is the return from the clone that made it.
    a.load("u32", r1, r9, Thread.flags)
      .and(r1, ThreadFlag.fresh | ThreadFlag.pending)
      .jne(r1, ThreadFlag.fresh, "end");
    reportBirth(a, options, r9);
    a.load("u32", r1, r9, Thread.flags).and(r1, ~ThreadFlag.fresh).store("u32", r9, Thread.flags, r1);
  }
  a.ja("end");
  a.label("finished")
    .call("ktime_get_ns")
    .load("u64", r1, r9, Thread.start)
    .sub(r0, r1)
    .store("u64", r9, Thread.duration, r0);
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

/** Leaves by `done` when --failed or --min-us say so, except with calls that the reader's table of files needs. */
function filters(a: Assembler, options: KernelOptions): void {
  if (!options.failedOnly && options.minNs === 0) return;
  a.load("u16", r1, r9, Thread.plan)
    .and(r1, PLANS - 1)
    .mul(r1, Plan.size)
    .loadMapValue(r8, "syscalls", 0)
    .add(r8, r1)
    .load("u8", r1, r8, Plan.enabled)
    .and(r1, PlanUse.files)
    .jne(r1, 0, "kept");
  if (options.failedOnly) a.jsge(r7, 0, "done").jslt(r7, MIN_ERROR, "done");
  if (options.minNs > 0) a.load("u64", r1, r9, Thread.duration).loadImm64(r2, options.minNs).jlt(r1, r2, "done");
  a.label("kept");
}

/** Leaves for the captures when there are any; the report is then made by a step of its own. */
function capturesAtExit(a: Assembler): void {
  a.store("u64", r9, Thread.ret, r7);
  a.load("u16", r1, r9, Thread.plan)
    .and(r1, PLANS - 1)
    .mul(r1, Plan.size)
    .loadMapValue(r8, "syscalls", 0)
    .add(r8, r1);
  // From the first one that was not readable at entry, or from those of the exit; those only of a call that succeeded.
  a.load("u8", r2, r8, Plan.atEntry)
    .mov(r3, r2)
    .jslt(r7, 0, "failed")
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
  fillCall(a, 0);
}

/** Fills and submits the call record in r0 from the state in r9. */
function fillCall(a: Assembler, flags: number): void {
  a.mov(r8, r0);
  a.store("u32", r8, Header.kind, RecordKind.call);
  callHeader(a, r8, 0, r9);
  a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.compat).or(r1, flags).store("u8", r8, Header.flags, r1);
  a.load("u32", r1, r9, Thread.nr).store("u16", r8, Header.code, r1);
  a.load("u64", r1, r9, Thread.start).store("u64", r8, CallRecord.start, r1);
  a.load("u64", r1, r9, Thread.duration).store("u64", r8, CallRecord.duration, r1);
  a.load("u64", r1, r9, Thread.ret).store("u64", r8, CallRecord.ret, r1);
  for (let i = 0; i < 6; i++) a.load("u64", r1, r9, Thread.args + 8 * i).store("u64", r8, CallRecord.args + 8 * i, r1);
  submit(a, r8);
}

/** A call that was under way when its thread was found: no start, no duration, arguments as the registers have them. */
function reportResumed(a: Assembler, options: KernelOptions): void {
  currentIds(a, options);
  a.store("u64", r9, Thread.ids, r0);
  a.call("ktime_get_ns")
    .store("u64", r9, Thread.start, r0)
    .store("u64", r9, Thread.duration, 0)
    .store("u64", r9, Thread.ret, r7);
  callRegisters(a, options);
  readArguments(a, options, r6);
  a.load("u32", r1, r10, REGS + options.abi.number)
    .store("u32", r9, Thread.nr, r1)
    .load("u32", r2, r9, Thread.flags);
  lookupPlan(a, r1, r2);
  a.load("u8", r1, r8, Plan.enabled).jeq(r1, 0, "resumed_end");
  reserve(a, CallRecord.size, Control.droppedCalls, "resumed_end");
  fillCall(a, RecordFlag.resumed);
  a.label("resumed_end").store("u64", r9, Thread.start, 0);
}

/** Adds the call to the statistics of this CPU. Only atomic operations: another thread may come in between. */
function addToStats(a: Assembler, options: KernelOptions): void {
  a.load("u32", r1, r9, Thread.nr).load("u32", r2, r9, Thread.flags);
  planIndex(a, r1, r2);
  a.store("u32", r10, SCRATCH, r1)
    .loadMap(r1, "stats")
    .mov(r2, r10)
    .add(r2, SCRATCH)
    .call("map_lookup_elem")
    .jeq(r0, 0, "end")
    .mov(r8, r0);
  a.jsge(r7, 0, "succeeded")
    .jslt(r7, MIN_ERROR, "succeeded")
    .mov(r1, 1)
    .atomicAdd("u64", r8, Stats.errors, r1)
    .label("succeeded");
  a.load("u64", r6, r9, Thread.duration).atomicAdd("u64", r8, Stats.total, r6);
  maximum(a, options);
  bucket(a);
  a.lsh(r2, 3).add(r8, r2).mov(r1, 1).atomicAdd("u64", r8, Stats.histogram, r1);
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
