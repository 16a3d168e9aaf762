// The kernel side of map-in-map.ts: counts the system calls of one process in the map that stands in the only slot of another.
//
//   npx skep compile map-in-map.bpf.c && npx skep gen map-in-map.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct window {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, __u64);
  __type(value, __u64);
  __uint(max_entries, 1024);
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct window);
} current SEC(".maps");

const volatile int pid = 0;

SEC("raw_tp/sys_enter")
int count(struct bpf_raw_tracepoint_args* context) {
  if (bpf_get_current_pid_tgid() >> 32 != pid) return 0;
  __u32 slot = 0;
  void* window = bpf_map_lookup_elem(&current, &slot);
  if (!window) return 0;
  __u64 number = context->args[1], one = 1;
  __u64* known = bpf_map_lookup_elem(window, &number);
  if (known)
    __sync_fetch_and_add(known, 1);
  else
    bpf_map_update_elem(window, &number, &one, BPF_NOEXIST);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
