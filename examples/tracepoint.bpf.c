// The kernel side of tracepoint.ts: which paths one process opens, and how often.
//
//   npx skep compile tracepoint.bpf.c && npx skep gen tracepoint.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// As /sys/kernel/tracing/events/syscalls/sys_enter_openat/format has it.
struct openat {
  __u64 common;
  long number, folder;
  const char* path;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, char[64]);
  __type(value, __u64);
  __uint(max_entries, 1024);
} opened SEC(".maps");

const volatile int pid = 0;

SEC("tracepoint/syscalls/sys_enter_openat")
int on_open(struct openat* call) {
  if (bpf_get_current_pid_tgid() >> 32 != pid) return 0;
  char path[64] = {};
  bpf_probe_read_user_str(path, sizeof(path), call->path);
  __u64 one = 1, *times = bpf_map_lookup_elem(&opened, path);
  if (times)
    __sync_fetch_and_add(times, 1);
  else
    bpf_map_update_elem(&opened, path, &one, BPF_NOEXIST);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
