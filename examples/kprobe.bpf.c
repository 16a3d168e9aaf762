// The kernel side of kprobe.ts: how many bytes one process wants to read, by the file's name.
//
//   npx skep compile kprobe.bpf.c && npx skep gen kprobe.bpf.o
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

// Of the kernel's types only what is looked at: each field is found where this kernel has it (CO-RE).
#define KERNEL __attribute__((preserve_access_index))
struct qstr { const unsigned char* name; } KERNEL;
struct dentry { struct qstr d_name; } KERNEL;
struct path { struct dentry* dentry; } KERNEL;
struct file { struct path f_path; } KERNEL;

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __type(key, char[32]);
  __type(value, __u64);
  __uint(max_entries, 1024);
} wanted SEC(".maps");

const volatile int pid = 0;

SEC("kprobe/vfs_read")
int BPF_KPROBE(on_read, struct file* file, char* to, __u64 bytes) {
  if (bpf_get_current_pid_tgid() >> 32 != pid) return 0;
  char name[32] = {};
  bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
  __u64* sum = bpf_map_lookup_elem(&wanted, name);
  if (sum)
    __sync_fetch_and_add(sum, bytes);
  else
    bpf_map_update_elem(&wanted, name, &bytes, BPF_NOEXIST);
  return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
