// The threads that are followed, and what all trace programs do with them. Threads are known by the addresses of their
// task_structs, so no structure of the kernel needs to be read.
import {
  array,
  arrayMap,
  bool,
  cell,
  cgroupArray,
  hash,
  i64,
  type Kernel,
  nsPidTgid,
  param,
  pidTgid,
  readKernel,
  struct,
  taskAddress,
  taskRegisters,
  u8,
  u16,
  u32,
  u64,
  zeros,
} from "skep/kernel";
import { ABI, COMMAND, GENERAL, PIDS, THROUGH_PERF } from "./options.bpf.ts";
import { ThreadFlag } from "./protocol.bpf.ts";

/** State of one thread (layout.ts has the meaning of the fields). */
export const Thread = struct({
  start: u64,
  nr: u32,
  seq: u32,
  args: array(u64, 8),
  flags: u32,
  faulted: u32,
  ret: i64,
  duration: u64,
  plan: u16,
  signal: u16,
  next: u8,
  end: u8,
  part: u8,
  ending: u8,
  ids: u64,
});

/** By the address of its task. */
export const threads = hash(u64, Thread, { max: 16_384 });

export const Control = struct({
  parent: u64,
  droppedCalls: u64,
  droppedCaptures: u64,
  droppedLife: u64,
  untracked: u64,
});
export const control = arrayMap(Control, 1);

/** Processes that were asked for, by their ids. */
export const roots = hash(u32, u8, { max: 1024 });
/** The cgroup that was asked for. */
export const cgroup = cgroupArray(1);

/** Only calls that return an error, and only those of at least so many nanoseconds: of the general images. */
export const failedOnly = param(bool, false);
export const minNs = param(u64, 0);
/** Skep's own pid namespace by device and inode of its file; 0 where it is the machine's first. */
export const nsDevice = param(u64, 0);
export const nsInode = param(u64, 0);

/** Thread id in the low, process id in the high word, as Skep sees them; the machine's for a thread of a namespace below its own. */
export function ids(): u64 {
  if (!GENERAL || nsInode === 0) return pidTgid();
  const own = nsPidTgid(nsDevice, nsInode);
  return own !== 0 ? own : pidTgid();
}

/** Whether the current thread, which has no state, belongs to what is traced all the same. */
export function belongs(): boolean {
  if (PIDS) return roots.has(u32(ids() >> 32));
  return !COMMAND && cgroup.currentTaskUnder(0);
}

/** Begins to follow a thread; counts when there is no room. */
export function follow(task: u64, flags: u32): void {
  const state = zeros(Thread);
  state.flags = flags;
  if (!threads.set(task, state)) cell(control.get(0).untracked).add(1);
}

/** Follows the child of a traced thread from before it first runs; false where it is none, or is the command itself. */
export function followChild(child: u64): boolean {
  const task = taskAddress();
  const state = threads.get(task);
  const isTraced = state !== undefined || !COMMAND;
  let flags: u32 = ThreadFlag.fresh;
  // The child begins as its parent is: 32-bit, or still before the command's exec.
  if (state !== undefined) flags |= state.flags & (ThreadFlag.compat | ThreadFlag.pending);
  else if (COMMAND) {
    // The one child that Skep waits for.
    const one = control.get(0);
    if (one.parent !== task) return false;
    one.parent = 0;
    flags |= ThreadFlag.pending;
  } else {
    if (!belongs()) return false;
    follow(task, ThreadFlag.fresh);
  }
  // The first copy of this program was here already.
  if (THROUGH_PERF && threads.has(child)) return false;
  follow(child, flags);
  return isTraced;
}

/** Where the thread's registers are: where they did not come with the event, they are asked for. */
export function registersOf(given: u64): u64 {
  return THROUGH_PERF ? u64(taskRegisters()) : given;
}

/** The part of `struct pt_regs` that has a call's number and arguments. */
const Registers = array(u64, ABI.words);

/** Reads the six arguments, and whether the caller is 32-bit, into the state. The number of the call in flight. */
export function readArguments(state: Kernel<typeof Thread>, registers: u64): u32 {
  const regs = readKernel(registers + ABI.from, Registers);
  const word = ABI.compat.inside ? regs[ABI.compat.word] : readKernel(registers + ABI.compat.offset, u32);
  if ((word & ABI.compat.mask) === ABI.compat.value) {
    state.flags = ThreadFlag.compat;
    state.args[0] = u32(regs[ABI.compat.args[0]]);
    state.args[1] = u32(regs[ABI.compat.args[1]]);
    state.args[2] = u32(regs[ABI.compat.args[2]]);
    state.args[3] = u32(regs[ABI.compat.args[3]]);
    state.args[4] = u32(regs[ABI.compat.args[4]]);
    state.args[5] = u32(regs[ABI.compat.args[5]]);
  } else {
    state.flags = 0;
    state.args[0] = regs[ABI.args[0]];
    state.args[1] = regs[ABI.args[1]];
    state.args[2] = regs[ABI.args[2]];
    state.args[3] = regs[ABI.args[3]];
    state.args[4] = regs[ABI.args[4]];
    state.args[5] = regs[ABI.args[5]];
  }
  return u32(regs[ABI.number]);
}
