import { Assembler, type Instruction, r0, r1, r2, r3, r4, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import { captureSubprogram } from "./capture-program.ts";
import { adoptThread, header, lookupThread, reserve, SCRATCH, submit } from "./common.ts";
import { lookupPlan, planIndex, REGS, readArguments, reportBirth } from "./enter.ts";
import { BUCKETS, CallRecord, Control, Header, Plan, PlanCapture, RecordFlag, RecordKind, Stats, Thread, ThreadFlag } from "./layout.ts";
import type { KernelOptions } from "./options.ts";

const DURATION = -24;
/** Errors are returned as −4095 … −1 (MAX_ERRNO in the kernel's err.h). */
const MIN_ERROR = -4095;

/** `raw_tp/sys_exit` (arguments: pt_regs, return value): reports the call, or adds it to the statistics. */
export function exitProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  a.load("u64", r6, r1, 0).load("u64", r7, r1, 8);
  lookupThread(a);
  a.jne(r0, 0, "known");
  adoptThread(a, options, REGS, "end");
  // Found inside a call that began before the tracing: its number and arguments are still in the registers.
  a.mov(r9, r0);
  if (options.mode === "calls" && options.target !== "command") reportResumed(a, options);
  a.ja("end");
  a.label("known").mov(r9, r0);
  a.load("u64", r1, r9, Thread.start).jne(r1, 0, "finished");
  if (options.mode === "calls") {
    // A new thread's first event is the return from the clone that made it.
    a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.fresh | ThreadFlag.pending).jne(r1, ThreadFlag.fresh, "end");
    reportBirth(a, r9);
    a.load("u32", r1, r9, Thread.flags).and(r1, ~ThreadFlag.fresh).store("u32", r9, Thread.flags, r1);
  }
  a.ja("end");
  a.label("finished").call("ktime_get_ns").load("u64", r1, r9, Thread.start).sub(r0, r1).store("u64", r10, DURATION, r0);
  if (options.mode === "summary") {
    a.store("u64", r9, Thread.start, 0);
    addToStats(a, options);
  } else {
    filters(a, options);
    a.load("u32", r1, r9, Thread.nr).load("u32", r2, r9, Thread.flags);
    lookupPlan(a, r1, r2, "done");
    capturesAtExit(a);
    reportCall(a);
    a.label("done").store("u64", r9, Thread.start, 0);
  }
  a.label("end").mov(r0, 0).exit();
  if (options.mode === "calls") captureSubprogram(a);
  return a.instructions();
}

/** Leaves by `done` when --failed or --min-us say so. */
function filters(a: Assembler, options: KernelOptions): void {
  if (options.failedOnly) a.jsge(r7, 0, "done").jslt(r7, MIN_ERROR, "done");
  if (options.minNs > 0) a.load("u64", r1, r10, DURATION).loadImm64(r2, options.minNs).jlt(r1, r2, "done");
}

function capturesAtExit(a: Assembler): void {
  a.load("u8", r1, r8, Plan.atExit).load("u32", r2, r9, Thread.faulted).or(r1, r2).jeq(r1, 0, "captured");
  for (let i = 0; i < PlanCapture.count; i++) {
    const at = Plan.captures + i * PlanCapture.size;
    a.load("u8", r1, r8, at + PlanCapture.kind).jeq(r1, 0, "captured");
    a.load("u8", r1, r8, at + PlanCapture.when).jne(r1, 0, `at_exit_${i}`);
    // What was not resident at entry is by now, unless it is no memory at all.
    a.load("u32", r1, r9, Thread.faulted).and(r1, 1 << i).jeq(r1, 0, `exit_skip_${i}`).mov(r3, 0x7fffffff).ja(`exit_do_${i}`);
    a.label(`at_exit_${i}`).jslt(r7, 0, `exit_skip_${i}`).mov(r3, r7);
    a.label(`exit_do_${i}`).mov(r1, r9).mov(r2, r8).add(r2, at).mov(r4, 4 + i).callLocal("capture");
    a.label(`exit_skip_${i}`);
  }
  a.label("captured");
}

function reportCall(a: Assembler): void {
  reserve(a, CallRecord.size, Control.droppedCalls, "done");
  fillCall(a, 0);
}

/** Fills and submits the call record in r0 from the state in r9, the result in r7 and the duration on the stack. */
function fillCall(a: Assembler, flags: number): void {
  a.mov(r8, r0);
  header(a, r8, 0, RecordKind.call, r9);
  a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.compat).or(r1, flags).store("u8", r8, Header.flags, r1);
  a.load("u32", r1, r9, Thread.nr).store("u16", r8, Header.code, r1);
  a.load("u64", r1, r9, Thread.start).store("u64", r8, CallRecord.start, r1);
  a.load("u64", r1, r10, DURATION).store("u64", r8, CallRecord.duration, r1);
  a.store("u64", r8, CallRecord.ret, r7);
  for (let i = 0; i < 6; i++) a.load("u64", r1, r9, Thread.args + 8 * i).store("u64", r8, CallRecord.args + 8 * i, r1);
  submit(a, r8);
}

/** A call that was under way when its thread was found: no start, no duration, arguments as the registers have them. */
function reportResumed(a: Assembler, options: KernelOptions): void {
  a.call("ktime_get_ns").store("u64", r9, Thread.start, r0).store("u64", r10, DURATION, 0);
  readArguments(a, options, r6);
  a.load("u32", r1, r10, REGS + options.abi.number).store("u32", r9, Thread.nr, r1).load("u32", r2, r9, Thread.flags);
  lookupPlan(a, r1, r2, "resumed_end");
  a.load("u8", r1, r8, Plan.enabled).jeq(r1, 0, "resumed_end");
  reserve(a, CallRecord.size, Control.droppedCalls, "resumed_end");
  fillCall(a, RecordFlag.resumed);
  a.label("resumed_end").store("u64", r9, Thread.start, 0);
}

/** Adds the call to the statistics of this CPU. Only atomic operations: another thread may come in between. */
function addToStats(a: Assembler, options: KernelOptions): void {
  a.load("u32", r1, r9, Thread.nr).load("u32", r2, r9, Thread.flags);
  planIndex(a, r1, r2);
  a.loadMap(r1, "stats").mov(r2, r10).add(r2, SCRATCH).call("map_lookup_elem").jeq(r0, 0, "end").mov(r8, r0);
  a.jsge(r7, 0, "succeeded").jslt(r7, MIN_ERROR, "succeeded").mov(r1, 1).atomicAdd("u64", r8, Stats.errors, r1).label("succeeded");
  a.load("u64", r6, r10, DURATION).atomicAdd("u64", r8, Stats.total, r6);
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
  a.label("bucket_known").jlt(r2, BUCKETS, "bucket_inside").mov(r2, BUCKETS - 1).label("bucket_inside");
}
