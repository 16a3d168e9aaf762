import { Assembler, type Instruction, r0, r1, r2, r3, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import {
  adoptThread,
  callHeader,
  callNumber,
  header,
  insertThread,
  KEY,
  lookupKey,
  lookupThread,
  reserve,
  SCRATCH,
  submit,
} from "./common.ts";
import { statsIndex } from "./enter.ts";
import {
  CallRecord,
  Control,
  ForkRecord,
  Header,
  LifeRecord,
  RecordKind,
  Stats,
  Thread,
  ThreadFlag,
} from "./layout.ts";
import type { KernelOptions } from "./options.ts";

const VALUE = -144;

/**
 * `raw_tp/sched_process_fork` (arguments: parent, child): a traced thread's child is traced from before it first runs.
 * Threads are known by the address of their task_struct, so no structure of the kernel needs to be read.
 */
export function forkProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  a.load("u64", r6, r1, 8).mov(r7, 0);
  lookupThread(a);
  a.jne(r0, 0, "tracked");
  if (options.target === "command") {
    // The one child that Skep waits for.
    a.loadMapValue(r8, "control", Control.parent).load("u64", r1, r8, 0).jeq(r1, 0, "end");
    a.load("u64", r2, r10, KEY).jne(r1, r2, "end").store("u64", r8, 0, 0);
    a.store("u64", r10, KEY, r6);
    insertThread(a, VALUE, ThreadFlag.pending | ThreadFlag.fresh);
    a.ja("end");
  } else {
    adoptThread(a, options, VALUE, "end");
  }
  a.label("tracked").mov(r9, r0).load("u32", r7, r9, Thread.flags);
  // The child begins as its parent is: 32-bit, or still before the command's exec.
  a.and(r7, ThreadFlag.compat | ThreadFlag.pending).or(r7, ThreadFlag.fresh);
  a.store("u64", r10, KEY, r6);
  if (options.throughPerf === true) {
    // The first copy of this program was here already.
    lookupKey(a);
    a.jne(r0, 0, "end");
  }
  insertThread(a, VALUE, r7);
  if (options.mode === "calls") {
    reserve(a, ForkRecord.size, Control.droppedLife, "end");
    a.mov(r8, r0);
    header(a, options, r8, RecordKind.fork, r9);
    a.load("u32", r1, r9, Thread.nr).store("u16", r8, Header.code, r1).store("u64", r8, ForkRecord.child, r6);
    a.load("u64", r1, r9, Thread.args).store("u64", r8, ForkRecord.arg0, r1);
    submit(a, r8);
  }
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

/** `sched_process_exit`, raw or perf's: a thread ends; a call it was in stays unfinished. */
export function threadExitProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  lookupThread(a);
  a.jeq(r0, 0, "end").mov(r9, r0);
  a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.pending).jne(r1, 0, "forget");
  if (options.mode === "calls") {
    a.load("u64", r1, r9, Thread.start).jeq(r1, 0, "ended");
    reportUnfinished(a, options);
    a.label("ended");
    reportLife(a, options, RecordKind.exit);
  } else {
    // exit and exit_group never return: they are counted without time.
    a.load("u64", r1, r9, Thread.start)
      .jeq(r1, 0, "forget")
      .load("u32", r1, r9, Thread.nr)
      .load("u32", r2, r9, Thread.flags);
    statsIndex(a, r1, r2);
    a.store("u32", r10, SCRATCH, r1)
      .loadMap(r1, "stats")
      .mov(r2, r10)
      .add(r2, SCRATCH)
      .call("map_lookup_elem")
      .jeq(r0, 0, "forget");
    a.mov(r1, 1).atomicAdd("u64", r0, Stats.unfinished, r1);
  }
  a.label("forget").loadMap(r1, "threads").mov(r2, r10).add(r2, KEY).call("map_delete_elem");
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

/**
 * `raw_tp/signal_generate` (arguments: signal, info, task, group, result): a signal is sent to a traced thread. Where it
 * is to end the process, the kernel delivers SIGKILL in its place: only here its name can be had.
 */
export function signalSentProgram(): readonly Instruction[] {
  const a = new Assembler();
  a.load("u64", r6, r1, 0).load("u64", r2, r1, 16).load("u64", r3, r1, 32).jne(r3, 0, "end");
  // Those that never end a process have nothing to do with it.
  for (const harmless of HARMLESS) a.jeq(r6, harmless, "end");
  a.store("u64", r10, KEY, r2);
  lookupKey(a);
  a.jeq(r0, 0, "end").store("u16", r0, Thread.signal, r6);
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

/** SIGCHLD, SIGCONT, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGWINCH (signal(7)), alike on x86-64 and arm64. */
const HARMLESS = [17, 18, 19, 20, 21, 22, 23, 28];
const SIGKILL = 9;

/** `signal_deliver`, raw (arguments: signal, info, action) or perf's: a signal reaches a traced thread. */
export function signalProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  // Of perf's tracepoint the signal is the first field, behind what all have (events/signal/signal_deliver/format).
  if (options.throughPerf === true) a.load("u32", r6, r1, 8);
  else a.load("u64", r6, r1, 0);
  lookupThread(a);
  a.jeq(r0, 0, "ended").mov(r9, r0);
  a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.pending).jne(r1, 0, "ended");
  a.load("u16", r1, r9, Thread.signal).store("u16", r9, Thread.signal, 0);
  // Nobody sent it: so the kernel ends the other threads of a process that exits or executes.
  a.jne(r6, SIGKILL, "named").jeq(r1, 0, "ended").mov(r6, r1).label("named");
  reportLife(a, options, RecordKind.signal);
  a.label("ended").mov(r0, 0).exit();
  return a.instructions();
}

/** A record with a time, and for signals the signal (in r6). */
function reportLife(a: Assembler, options: KernelOptions, kind: number): void {
  const full = kind === RecordKind.exit ? "forget" : "ended";
  reserve(a, LifeRecord.size, Control.droppedLife, full);
  a.mov(r8, r0);
  header(a, options, r8, kind, r9);
  if (kind === RecordKind.signal) a.store("u16", r8, Header.code, r6);
  a.call("ktime_get_ns").store("u64", r8, LifeRecord.time, r0);
  submit(a, r8);
}

/** The call in flight, unless the filters need a result that it will never have. */
function reportUnfinished(a: Assembler, options: KernelOptions): void {
  if (options.failedOnly) return;
  a.call("ktime_get_ns").load("u64", r1, r9, Thread.start).sub(r0, r1).mov(r7, r0);
  if (options.minNs > 0) a.loadImm64(r1, options.minNs).jlt(r7, r1, "ended");
  reserve(a, CallRecord.size, Control.droppedCalls, "ended");
  a.mov(r8, r0);
  a.store("u32", r8, Header.kind, RecordKind.unfinished);
  callHeader(a, r8, 0, r9);
  a.load("u32", r1, r9, Thread.flags).and(r1, ThreadFlag.compat).store("u8", r8, Header.flags, r1);
  callNumber(a, r8, r9);
  a.load("u64", r1, r9, Thread.start).store("u64", r8, CallRecord.start, r1);
  a.store("u64", r8, CallRecord.duration, r7).store("u64", r8, CallRecord.ret, 0);
  for (let i = 0; i < 6; i++) a.load("u64", r1, r9, Thread.args + 8 * i).store("u64", r8, CallRecord.args + 8 * i, r1);
  submit(a, r8);
}
