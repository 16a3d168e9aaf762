// The kernel side of perf-buffer.ts: tells of each thread and process that one process starts.
//
//   npx skep compile perf-buffer.bpf.c && npx skep gen perf-buffer.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// As /sys/kernel/tracing/events/task/task_newtask/format has it.
struct newtask {
  __u64 common;
  int pid;
  char name[16];
};

struct started {
  __u32 by, tid;
  char name[16];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
  __type(key, __u32);
  __type(value, __u32);
} events SEC(".maps");

const volatile int pid = 0;

SEC("tracepoint/task/task_newtask")
int on_start(struct newtask* task) {
  __u64 current = bpf_get_current_pid_tgid();
  if (current >> 32 != pid) return 0;
  struct started event = {.by = current, .tid = task->pid};
  __builtin_memcpy(event.name, task->name, sizeof(event.name));
  bpf_perf_event_output(task, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
