// The kernel side of iterator.ts: a line for each thread of one process.
//
//   npx skep compile iterator.bpf.c && npx skep gen iterator.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// Of the kernel's types only what is looked at: each field is found where this kernel has it (CO-RE).
#define KERNEL __attribute__((preserve_access_index))
struct task_struct { int pid, tgid; char comm[16]; unsigned long nvcsw, nivcsw; } KERNEL;
struct seq_file;
struct bpf_iter_meta { struct seq_file* seq; } KERNEL;
struct bpf_iter__task { struct bpf_iter_meta* meta; struct task_struct* task; } KERNEL;

const volatile int pid = 0;

SEC("iter/task")
int show(struct bpf_iter__task* step) {
  struct task_struct* task = step->task;
  if (!task || task->tgid != pid) return 0;
  BPF_SEQ_PRINTF(step->meta->seq, "%d %s: waited %lu times, was interrupted %lu times\n", task->pid, task->comm,
                 task->nvcsw, task->nivcsw);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
