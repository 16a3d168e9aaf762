// The kernel side of uprobe.ts: the paths that come to a function of a program, uv_fs_open(loop, request, path, …).
//
//   npx skep compile uprobe.bpf.c && npx skep gen uprobe.bpf.o
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define PATH 64

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 16);
} paths SEC(".maps");

__u64 dropped = 0;

SEC("uprobe")
int BPF_KPROBE(on_open, void* loop, void* request, const char* path) {
  char* record = bpf_ringbuf_reserve(&paths, PATH, 0);
  if (!record) {
    __sync_fetch_and_add(&dropped, 1);
    return 0;
  }
  if (bpf_probe_read_user_str(record, PATH, path) < 0) record[0] = 0;
  bpf_ringbuf_submit(record, 0);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
