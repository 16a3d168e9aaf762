import { Assembler, type Instruction, type Register, r0, r1, r2, r3, r6, r7, r8, r9, r10 } from "../../../sdk/index.ts";
import { continueWithCaptures } from "./capture-program.ts";
import {
  adoptThread,
  CONTEXT,
  callArguments,
  callRegisters,
  currentIds,
  header,
  KEY,
  lookupThread,
  reserve,
  SCRATCH,
  submit,
  unique,
} from "./common.ts";
import { BirthRecord, Control, OTHER_PLAN, PLANS, Plan, RecordKind, Thread, ThreadFlag } from "./layout.ts";
import type { KernelOptions } from "./options.ts";

/** Where the copied part of pt_regs stands; a new thread's state uses the same place before. */
export const REGS = -144;
/** At entry the return value is not known: captures clipped by it are not clipped. */
const ANY_LENGTH = 0x7fffffff;

/**
 * `raw_tp/sys_enter` (arguments: pt_regs, number): notes the call in the thread's state, and copies what must be copied
 * before the call runs (paths, buffers written).
 */
export function enterProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  callArguments(a, options, "enter");
  lookupThread(a);
  if (options.target === "command") {
    a.jeq(r0, 0, "end");
  } else {
    a.jne(r0, 0, "known");
    adoptThread(a, options, REGS, "end");
  }
  a.label("known").mov(r9, r0);
  a.load("u32", r1, r9, Thread.flags).jeq(r1, 0, "traced");
  a.mov(r2, r1).and(r2, ThreadFlag.pending).jeq(r2, 0, "flags");
  // Between fork and exec the thread still does Skep's own work.
  a.jeq(r7, options.abi.execve, "released").jne(r7, options.abi.execveat, "end");
  a.label("released").and(r1, ~ThreadFlag.pending).store("u32", r9, Thread.flags, r1);
  a.label("flags");
  if (options.mode === "calls") {
    // The flags are written anew with the arguments.
    a.and(r1, ThreadFlag.fresh).jeq(r1, 0, "traced");
    reportBirth(a, options, r9);
  } else {
    learnCompat(a, options);
  }
  a.label("traced");
  if (options.mode === "summary") {
    // What comes after an exec may be of the other kind.
    a.jeq(r7, options.abi.execve, "exec").jne(r7, options.abi.execveat, "noted");
    a.label("exec").load("u32", r1, r9, Thread.flags).or(r1, ThreadFlag.learn).store("u32", r9, Thread.flags, r1);
    a.label("noted").store("u32", r9, Thread.nr, r7).call("ktime_get_ns").store("u64", r9, Thread.start, r0);
  } else {
    noteCall(a, options);
    capturesAtEntry(a);
  }
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

/**
 * The table of numbers a thread uses, for `-c`, where arguments are not looked at: read from its registers when it is new
 * and after each exec, not at every call. Flags are in r1, the number in r7. Clobbers r0–r5.
 */
function learnCompat(a: Assembler, options: KernelOptions): void {
  const { compat } = options.abi;
  a.mov(r2, r1).and(r2, ThreadFlag.compat).jeq(r2, 0, "maybe_fresh");
  a.jeq(r7, compat.execve, "renew").jne(r7, compat.execveat, "maybe_fresh");
  a.label("renew").or(r1, ThreadFlag.learn).store("u32", r9, Thread.flags, r1).ja("noted");
  a.label("maybe_fresh")
    .and(r1, ThreadFlag.fresh | ThreadFlag.learn)
    .jeq(r1, 0, "traced");
  callRegisters(a, options);
  a.mov(r1, r10)
    .add(r1, SCRATCH)
    .mov(r2, 4)
    .mov(r3, r6)
    .add(r3, options.abi.from + compat.offset);
  a.call("probe_read_kernel").load("u32", r1, r10, SCRATCH).and(r1, compat.mask).mov(r2, 0);
  a.jne(r1, compat.value, "native").mov(r2, ThreadFlag.compat).label("native").store("u32", r9, Thread.flags, r2);
}

/** r1 = the index in the statistics for the number in `number` and the thread flags in `flags`. Clobbers `flags`. */
export function statsIndex(a: Assembler, number: Register, flags: Register): void {
  const other = unique("other_plan");
  const own = unique("own_plan");
  a.mov32(r1, number).and(flags, ThreadFlag.compat).jne(flags, 0, other).jlt(r1, PLANS, own);
  a.label(other).mov(r1, OTHER_PLAN).label(own);
}

/** r8 = the plan for the number in `number` and the thread flags in `flags`, noted in the state (r9). Clobbers r1, `flags`. */
export function lookupPlan(a: Assembler, number: Register, flags: Register): void {
  const known = unique("known_number");
  const native = unique("native_plan");
  a.mov32(r1, number).jlt(r1, PLANS, known).mov(r1, OTHER_PLAN).label(known);
  a.and(flags, ThreadFlag.compat).jeq(flags, 0, native).add(r1, PLANS).label(native);
  a.store("u16", r9, Thread.plan, r1).mul(r1, Plan.size).loadMapValue(r8, "syscalls", 0).add(r8, r1);
}

/** Copies pt_regs' part to the stack and the six arguments into the state; learns whether the caller is 32-bit. */
export function readArguments(a: Assembler, options: KernelOptions, regs: Register): void {
  const { abi } = options;
  a.mov(r1, r10).add(r1, REGS).mov(r2, abi.length).mov(r3, regs).add(r3, abi.from).call("probe_read_kernel");
  const [compat, done] = [unique("compat"), unique("arguments")];
  const inside = abi.compat.offset < abi.length;
  if (inside) {
    a.load("u32", r1, r10, REGS + abi.compat.offset);
  } else {
    a.mov(r1, r10).add(r1, SCRATCH).mov(r2, 4).mov(r3, regs).add(r3, abi.compat.offset).call("probe_read_kernel");
    a.load("u32", r1, r10, SCRATCH);
  }
  a.and(r1, abi.compat.mask).jeq(r1, abi.compat.value, compat);
  a.store("u32", r9, Thread.flags, 0);
  for (const [i, at] of abi.args.entries()) a.load("u64", r1, r10, REGS + at).store("u64", r9, Thread.args + 8 * i, r1);
  a.ja(done).label(compat).store("u32", r9, Thread.flags, ThreadFlag.compat);
  for (const [i, at] of abi.compat.args.entries())
    a.load("u32", r1, r10, REGS + at).store("u64", r9, Thread.args + 8 * i, r1);
  a.label(done);
}

function noteCall(a: Assembler, options: KernelOptions): void {
  a.store("u32", r9, Thread.nr, r7).load("u32", r1, r9, Thread.seq).add(r1, 1).store("u32", r9, Thread.seq, r1);
  a.store("u32", r9, Thread.faulted, 0);
  callRegisters(a, options);
  readArguments(a, options, r6);
  a.load("u32", r2, r9, Thread.flags);
  lookupPlan(a, r7, r2);
  a.load("u8", r1, r8, Plan.enabled).jne(r1, 0, "enabled").store("u64", r9, Thread.start, 0);
  // Not to be taken for one that was never entered.
  a.load("u32", r1, r9, Thread.flags).or(r1, ThreadFlag.skipped).store("u32", r9, Thread.flags, r1).ja("end");
  a.label("enabled");
  currentIds(a, options);
  a.store("u64", r9, Thread.ids, r0).call("ktime_get_ns").store("u64", r9, Thread.start, r0);
}

function capturesAtEntry(a: Assembler): void {
  a.load("u8", r1, r8, Plan.atEntry).jeq(r1, 0, "end").store("u8", r9, Thread.end, r1);
  a.store("u8", r9, Thread.next, 0).store("u8", r9, Thread.part, 0).store("u8", r9, Thread.ending, 0);
  a.mov(r1, ANY_LENGTH).store("u64", r9, Thread.ret, r1).load("u64", r6, r10, CONTEXT);
  continueWithCaptures(a, r6);
}

/** Reports a new thread, from itself: only here are its ids known. */
export function reportBirth(a: Assembler, options: KernelOptions, state: Register): void {
  reserve(a, BirthRecord.size, Control.droppedLife, "born");
  a.mov(r8, r0);
  header(a, options, r8, RecordKind.birth, state);
  a.load("u64", r1, r10, KEY).store("u64", r8, BirthRecord.self, r1);
  submit(a, r8);
  a.label("born");
}
