// The kernel side of lsm.ts: one process may not open one file.
//
//   npx skep compile lsm.bpf.c && npx skep gen lsm.bpf.o
#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// Of the kernel's types only what is looked at: each field is found where this kernel has it (CO-RE).
#define KERNEL __attribute__((preserve_access_index))
struct inode { unsigned long i_ino; } KERNEL;
struct file { struct inode* f_inode; } KERNEL;

const volatile int pid = 0;
const volatile __u64 inode = 0;
__u64 refused = 0;

SEC("lsm/file_open")
int BPF_PROG(on_open, struct file* file, int result) {
  if (result != 0) return result; // another program has refused it
  if (bpf_get_current_pid_tgid() >> 32 != pid || file->f_inode->i_ino != inode) return 0;
  __sync_fetch_and_add(&refused, 1);
  return -EPERM;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
