// The kernel side of clang-object.ts: counts the system calls of one process by number.
//
//   npx skep compile calls.bpf.c && npx skep gen calls.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u64);
  __type(value, __u64);
  __uint(max_entries, 1024);
} calls SEC(".maps");

const volatile int pid = 0;

SEC("raw_tp/sys_enter")
int count(struct bpf_raw_tracepoint_args* context) {
  if (bpf_get_current_pid_tgid() >> 32 != pid) return 0;
  __u64 number = context->args[1], one = 1;
  __u64* known = bpf_map_lookup_elem(&calls, &number);
  if (known)
    __sync_fetch_and_add(known, 1);
  else
    bpf_map_update_elem(&calls, &number, &one, BPF_NOEXIST);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
