import { Assembler, type Instruction, r0, r1, r2, r3, r4, r6, r7, r8, r9, r10, type Register } from "../../../sdk/index.ts";
import { captureSubprogram } from "./capture-program.ts";
import { adoptThread, header, KEY, lookupThread, reserve, SCRATCH, submit, unique } from "./common.ts";
import { BirthRecord, Control, OTHER_PLAN, Plan, PLANS, PlanCapture, RecordKind, Thread, ThreadFlag } from "./layout.ts";
import type { KernelOptions } from "./options.ts";

/** Where the copied part of pt_regs stands; a new thread's state uses the same place before. */
export const REGS = -128;
/** At entry the return value is not known: captures clipped by it are not clipped. */
const ANY_LENGTH = 0x7fffffff;

/**
 * `raw_tp/sys_enter` (arguments: pt_regs, number): notes the call in the thread's state, and copies what must be copied
 * before the call runs (paths, buffers written).
 */
export function enterProgram(options: KernelOptions): readonly Instruction[] {
  const a = new Assembler();
  a.load("u64", r6, r1, 0).load("u64", r7, r1, 8);
  lookupThread(a);
  a.jne(r0, 0, "known");
  adoptThread(a, options, REGS, "end");
  a.label("known").mov(r9, r0);
  a.load("u32", r1, r9, Thread.flags).jeq(r1, 0, "traced");
  a.mov(r2, r1).and(r2, ThreadFlag.pending).jeq(r2, 0, "flags");
  // Between fork and exec the thread still does Skep's own work.
  a.jeq(r7, options.abi.execve, "released").jne(r7, options.abi.execveat, "end");
  a.label("released").and(r1, ~ThreadFlag.pending).store("u32", r9, Thread.flags, r1);
  a.label("flags");
  if (options.mode === "calls") reportBirth(a, r9);
  a.load("u32", r1, r9, Thread.flags).and(r1, ~ThreadFlag.fresh).store("u32", r9, Thread.flags, r1);
  a.label("traced");
  if (options.mode === "summary") {
    a.store("u32", r9, Thread.nr, r7).call("ktime_get_ns").store("u64", r9, Thread.start, r0);
  } else {
    noteCall(a, options);
    capturesAtEntry(a);
  }
  a.label("end").mov(r0, 0).exit();
  if (options.mode === "calls") captureSubprogram(a);
  return a.instructions();
}

/** SCRATCH = the index of the plan for the number in `number` and the thread flags in `flags`. Clobbers r1, `flags`. */
export function planIndex(a: Assembler, number: Register, flags: Register): void {
  const other = unique("other_plan");
  const own = unique("own_plan");
  a.mov32(r1, number).and(flags, ThreadFlag.compat).jne(flags, 0, other).jlt(r1, PLANS, own);
  a.label(other).mov(r1, OTHER_PLAN).label(own).store("u32", r10, SCRATCH, r1);
}

/** r8 = the plan for the number in `number` and the thread flags in `flags`, or a jump to `none`. */
export function lookupPlan(a: Assembler, number: Register, flags: Register, none: string): void {
  planIndex(a, number, flags);
  a.loadMap(r1, "syscalls").mov(r2, r10).add(r2, SCRATCH).call("map_lookup_elem").jeq(r0, 0, none).mov(r8, r0);
}

/** Copies pt_regs' part to the stack and the six arguments into the state; learns whether the caller is 32-bit. */
export function readArguments(a: Assembler, options: KernelOptions, regs: Register): void {
  const { abi } = options;
  a.mov(r1, r10).add(r1, REGS).mov(r2, abi.length).mov(r3, regs).add(r3, abi.from).call("probe_read_kernel");
  const inside = abi.compat.offset < abi.length;
  if (inside) {
    a.load("u32", r1, r10, REGS + abi.compat.offset);
  } else {
    a.mov(r1, r10).add(r1, SCRATCH).mov(r2, 4).mov(r3, regs).add(r3, abi.compat.offset).call("probe_read_kernel");
    a.load("u32", r1, r10, SCRATCH);
  }
  a.and(r1, abi.compat.mask).jeq(r1, abi.compat.value, "compat");
  a.store("u32", r9, Thread.flags, 0);
  for (const [i, at] of abi.args.entries()) a.load("u64", r1, r10, REGS + at).store("u64", r9, Thread.args + 8 * i, r1);
  a.ja("arguments").label("compat").store("u32", r9, Thread.flags, ThreadFlag.compat);
  for (const [i, at] of abi.compat.args.entries()) a.load("u32", r1, r10, REGS + at).store("u64", r9, Thread.args + 8 * i, r1);
  a.label("arguments");
}

function noteCall(a: Assembler, options: KernelOptions): void {
  a.store("u32", r9, Thread.nr, r7).load("u32", r1, r9, Thread.seq).add(r1, 1).store("u32", r9, Thread.seq, r1);
  a.store("u32", r9, Thread.faulted, 0);
  readArguments(a, options, r6);
  a.load("u32", r2, r9, Thread.flags);
  lookupPlan(a, r7, r2, "end");
  a.load("u8", r1, r8, Plan.enabled).jne(r1, 0, "enabled").store("u64", r9, Thread.start, 0).ja("end").label("enabled");
  a.call("ktime_get_ns").store("u64", r9, Thread.start, r0);
}

function capturesAtEntry(a: Assembler): void {
  a.load("u8", r1, r8, Plan.atEntry).jeq(r1, 0, "end");
  for (let i = 0; i < PlanCapture.count; i++) {
    const at = Plan.captures + i * PlanCapture.size;
    a.load("u8", r1, r8, at + PlanCapture.kind).jeq(r1, 0, "end");
    a.load("u8", r1, r8, at + PlanCapture.when).jne(r1, 0, `entry_skip_${i}`);
    a.mov(r1, r9).mov(r2, r8).add(r2, at).mov(r3, ANY_LENGTH).mov(r4, i).callLocal("capture");
    a.label(`entry_skip_${i}`);
  }
}

/** Reports a new thread, from itself: only here are its ids known. */
export function reportBirth(a: Assembler, state: Register): void {
  reserve(a, BirthRecord.size, Control.droppedLife, "born");
  a.mov(r8, r0);
  header(a, r8, 0, RecordKind.birth, state);
  a.load("u64", r1, r10, KEY).store("u64", r8, BirthRecord.self, r1);
  submit(a, r8);
  a.label("born");
}
