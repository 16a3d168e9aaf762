import type { Fixed, i32, i64, u64 } from "skep/kernel";

// The tracepoints that the trace programs stand at, as far as they look at them. Compiled for every kernel at once, they are told
// no kernel's own types: arguments are numbers.
declare module "skep/kernel" {
  interface RawTracepoints {
    /** struct pt_regs *, number. */
    sys_enter: (registers: u64, number: u64) => void;
    /** struct pt_regs *, result. */
    sys_exit: (registers: u64, result: u64) => void;
    /** struct task_struct *, struct task_struct *. */
    sched_process_fork: (parent: u64, child: u64) => void;
    /** struct task_struct *. */
    sched_process_exit: (task: u64) => void;
    /** signal, struct kernel_siginfo *, struct task_struct *, whether the whole group, what came of it. */
    signal_generate: (signal: u64, info: u64, task: u64, group: u64, result: u64) => void;
    /** signal, struct kernel_siginfo *, struct k_sigaction *. */
    signal_deliver: (signal: u64, info: u64, action: u64) => void;
  }
  interface Tracepoints {
    "raw_syscalls:sys_enter": { id: i64; args: Fixed<u64, 6> };
    "raw_syscalls:sys_exit": { id: i64; ret: i64 };
    "sched:sched_process_exit": { pid: i32 };
    "signal:signal_deliver": { sig: i32 };
  }
}
