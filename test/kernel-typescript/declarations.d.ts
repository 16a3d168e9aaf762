// What `skep types` would write for these programs, as far as they need it on any kernel.
import type { Fixed, i32, i64, KernelPtr, Str, UserPtr, u16, u32, u64 } from "skep/kernel";

declare module "btf:vmlinux" {
  export interface pt_regs {
    ax: u64;
  }
  export interface qstr {
    len: u32;
    name: u64;
  }
  export interface dentry {
    d_name: qstr;
    d_parent: dentry;
  }
  export interface path {
    dentry: dentry;
  }
  export interface inode {
    i_mode: u32;
    i_ino: u64;
  }
  export interface file {
    f_path: path;
    f_inode: inode;
    f_flags: u32;
  }
  export interface task_struct {
    pid: i32;
    tgid: i32;
    __state: u32;
    // Not in this kernel: only where `exists` says that it is.
    state: any;
    comm: Str<16>;
    real_parent: task_struct;
  }
}
declare module "skep/kernel" {
  interface Tracepoints {
    "syscalls:sys_enter_openat": { dfd: i32; filename: UserPtr<"char">; flags: i32; mode: u16 };
    "raw_syscalls:sys_enter": { id: i64; args: Fixed<u64, 6> };
    "block:block_rq_issue": { dev: u32; sector: u64; nr_sector: u32; bytes: u32; rwbs: Str<10> };
    "block:block_rq_complete": { dev: u32; sector: u64; nr_sector: u32; error: i32 };
    "sched:sched_process_exec": { filename: Str<64>; pid: i32; old_pid: i32; exec_id: any };
  }
  interface RawTracepoints {
    sched_switch(
      preempt: boolean,
      prev: import("btf:vmlinux").task_struct,
      next: import("btf:vmlinux").task_struct,
      prev_state: u32,
    ): void;
    sys_enter(regs: import("btf:vmlinux").pt_regs, id: i64): void;
  }
  interface KernelFunctions {
    vfs_read(file: import("btf:vmlinux").file, buf: UserPtr<"char">, count: u64, pos: KernelPtr<"loff_t">): i64;
  }
  interface LsmHooks {
    file_open(file: import("btf:vmlinux").file): i32;
  }
  interface Iterators {
    task: { task: import("btf:vmlinux").task_struct | undefined };
  }
  interface KernelTypes {
    task_struct: import("btf:vmlinux").task_struct;
  }
}
