import { type Assembler, type Register, r0, r1, r2, r3, r4, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import { ALL_PLANS, Control, Header, Plan, Thread, ThreadFlag } from "./layout.ts";
import type { KernelOptions } from "./options.ts";

/** Stack slots every program uses. */
export const KEY = -8;
export const SCRATCH = -16;
/** Where the programs that see calls keep their context for the step that follows. */
export const CONTEXT = -24;

/**
 * The arguments of a call's tracepoint. r7 = the number at entry, the return value at exit; r6 = its pt_regs, where they
 * are to be had at once. Clobbers nothing but these two. r1 is the context and goes to CONTEXT on the stack.
 */
export function callArguments(a: Assembler, { throughPerf }: KernelOptions, at: "enter" | "exit"): void {
  a.store("u64", r10, CONTEXT, r1);
  // perf's record (tracefs: events/raw_syscalls/…/format): number at 8, then the arguments or the return value at 16.
  if (throughPerf === true) a.load("u64", r7, r1, at === "enter" ? 8 : 16);
  else a.load("u64", r6, r1, 0).load("u64", r7, r1, 8);
}

/** r6 = the current thread's pt_regs, where they did not come with the event (Linux 5.15). Clobbers r0–r5. */
export function callRegisters(a: Assembler, { throughPerf }: KernelOptions): void {
  if (throughPerf === true) a.call("get_current_task_btf").mov(r1, r0).call("task_pt_regs").mov(r6, r0);
}

/** Adds one to a counter of the control map. Clobbers r1 and r2. */
export function count(a: Assembler, counter: number): void {
  a.loadMapValue(r1, "control", counter).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
}

/** r0 = state of the current thread or 0. Its key stays at KEY. Clobbers r1–r5. */
export function lookupThread(a: Assembler): void {
  a.call("get_current_task").store("u64", r10, KEY, r0);
  lookupKey(a);
}

/** r0 = state of the thread whose task is at KEY, or 0. Clobbers r1–r5. */
export function lookupKey(a: Assembler): void {
  a.loadMap(r1, "threads").mov(r2, r10).add(r2, KEY).call("map_lookup_elem");
}

/**
 * r0 = thread id in the low, process id in the high word, as Skep sees them: in a container those of its own pid
 * namespace (Linux 5.7), and the machine's for a thread of a namespace below it. Clobbers r1–r5 and SCRATCH.
 */
export function currentIds(a: Assembler, { pidNamespace }: KernelOptions): void {
  if (pidNamespace === undefined) {
    a.call("get_current_pid_tgid");
    return;
  }
  const other = unique("other_namespace");
  const known = unique("ids_known");
  a.loadImm64(r1, pidNamespace.device).loadImm64(r2, pidNamespace.inode);
  // struct bpf_pidns_info: pid (of the thread), tgid.
  a.mov(r3, r10).add(r3, SCRATCH).mov(r4, 8).call("get_ns_current_pid_tgid").jne(r0, 0, other);
  a.load("u64", r0, r10, SCRATCH).ja(known).label(other).call("get_current_pid_tgid").label(known);
}

/**
 * For targets that are not reached by inheritance alone (`pids`, `cgroup`): takes the current thread, which has no state yet, among the
 * traced ones when it belongs to the target. r0 = its new state, or a jump to `otherwise`. `value` is the stack offset
 * of Thread.size free bytes. Clobbers r1–r5.
 */
export function adoptThread(a: Assembler, options: KernelOptions, value: number, otherwise: string): void {
  if (options.target === "pids") {
    currentIds(a, options);
    a.rsh(r0, 32).store("u32", r10, SCRATCH, r0);
    a.loadMap(r1, "roots").mov(r2, r10).add(r2, SCRATCH).call("map_lookup_elem").jeq(r0, 0, otherwise);
  } else {
    a.loadMap(r1, "cgroup").mov(r2, 0).call("current_task_under_cgroup").jne(r0, 1, otherwise);
  }
  insertThread(a, value, ThreadFlag.fresh);
  lookupKey(a);
  a.jeq(r0, 0, otherwise);
}

/** Inserts a new thread state under the key at KEY; counts when the map is full. Clobbers r0–r5. */
export function insertThread(a: Assembler, value: number, flags: number | Register): void {
  const done = unique("inserted");
  for (let at = 0; at < Thread.size; at += 8) {
    if (at !== Thread.flags) a.store("u64", r10, value + at, 0);
  }
  if (typeof flags === "number") a.store("u64", r10, value + Thread.flags, flags);
  else a.store("u64", r10, value + Thread.flags, flags);
  a.loadMap(r1, "threads").mov(r2, r10).add(r2, KEY).mov(r3, r10).add(r3, value).mov(r4, 0).call("map_update_elem");
  a.jeq(r0, 0, done);
  count(a, Control.untracked);
  a.label(done).mov(r0, 0);
}

/** Writes the header of a record about a thread's life at `base`; `state` is the thread's. Clobbers r0–r5. */
export function header(a: Assembler, options: KernelOptions, base: Register, kind: number, state: Register): void {
  a.store("u32", base, Header.kind, kind);
  currentIds(a, options);
  a.store("u32", base, Header.tid, r0).rsh(r0, 32).store("u32", base, Header.tgid, r0);
  a.load("u32", r1, state, Thread.seq).store("u32", base, Header.seq, r1);
}

/** r8 = the plan that the state in r9 has noted. Clobbers r1. */
export function loadPlan(a: Assembler): void {
  a.load("u16", r1, r9, Thread.plan)
    .and(r1, ALL_PLANS - 1)
    .mul(r1, Plan.size)
    .loadMapValue(r8, "syscalls", 0)
    .add(r8, r1);
}

/** Writes the number of a call behind its header: after `callHeader`. Clobbers r1. */
export function callNumber(a: Assembler, base: Register, state: Register): void {
  a.load("u32", r1, state, Thread.nr).store("u16", base, Header.code, r1);
  a.rsh(r1, 16).store("u16", base, Header.codeHigh, r1);
}

/** Writes the ids and the sequence number of the call in flight at `base + at`. Clobbers r1. */
export function callHeader(a: Assembler, base: Register, at: number, state: Register): void {
  a.load("u64", r1, state, Thread.ids).store("u64", base, at + Header.tid, r1);
  a.load("u32", r1, state, Thread.seq).store("u32", base, at + Header.seq, r1);
}

/** r0 = a ring record of `size` bytes, or a jump to `full` after counting. Clobbers r1–r5. */
export function reserve(a: Assembler, size: number, counter: number, full: string): void {
  const ok = unique("reserved");
  a.loadMap(r1, "events").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, ok);
  count(a, counter);
  a.ja(full).label(ok);
}

/** Submits the record in `record`. Clobbers r0–r5. */
export function submit(a: Assembler, record: Register): void {
  a.mov(r1, record).mov(r2, 0).call("ringbuf_submit");
}

let labels = 0;

/** A label no other place uses. */
export function unique(prefix: string): string {
  return `${prefix}_${labels++}`;
}
