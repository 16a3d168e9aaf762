// The kernel side of usdt.ts: the argument of a probe that is written into Python, the name of a module.
//
//   npx skep compile usdt.bpf.c && npx skep gen usdt.bpf.o
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#define NAME 64

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} modules SEC(".maps");

__u64 dropped = 0;

SEC("usdt//usr/bin/python3:python:import__find__load__start")
int BPF_USDT(on_import, const char* name) {
  char* record = bpf_ringbuf_reserve(&modules, NAME, 0);
  if (!record) {
    __sync_fetch_and_add(&dropped, 1);
    return 0;
  }
  if (bpf_probe_read_user_str(record, NAME, name) < 0) record[0] = 0;
  bpf_ringbuf_submit(record, 0);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
