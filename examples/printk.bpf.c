// The kernel side of printk.ts: prints a line for each signal that one process sends.
//
//   npx skep compile printk.bpf.c && npx skep gen printk.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// As /sys/kernel/tracing/events/syscalls/sys_enter_kill/format has it.
struct kill {
  __u64 common;
  long number, to, signal;
};

const volatile int pid = 0;

SEC("tracepoint/syscalls/sys_enter_kill")
int on_kill(struct kill* call) {
  if (bpf_get_current_pid_tgid() >> 32 != pid) return 0;
  bpf_printk("signal %ld for %ld", call->signal, call->to);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
