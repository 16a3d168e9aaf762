// The kernel side of struct-ops.ts: a congestion control of TCP, with a window that never changes.
//
//   npx skep compile struct-ops.bpf.c && npx skep gen struct-ops.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define WINDOW 10
#define FOR_EVERY_NAMESPACE 1 // TCP_CONG_NON_RESTRICTED

struct sock;

// The members that are given; each stands where this kernel has it.
struct tcp_congestion_ops {
  __u32 (*ssthresh)(struct sock* socket);
  void (*cong_avoid)(struct sock* socket, __u32 acknowledged, __u32 now);
  __u32 (*undo_cwnd)(struct sock* socket);
  void (*init)(struct sock* socket);
  __u32 flags;
  char name[16];
};

__u64 sockets = 0, acknowledgements = 0;

SEC("struct_ops") void BPF_PROG(begin, struct sock* socket) {
  __sync_fetch_and_add(&sockets, 1);
}

SEC("struct_ops") void BPF_PROG(avoid, struct sock* socket, __u32 acknowledged, __u32 now) {
  __sync_fetch_and_add(&acknowledgements, 1);
}

SEC("struct_ops") __u32 BPF_PROG(threshold, struct sock* socket) {
  return WINDOW;
}

SEC("struct_ops") __u32 BPF_PROG(undo, struct sock* socket) {
  return WINDOW;
}

SEC(".struct_ops") struct tcp_congestion_ops skep_steady = {
    .init = (void*)begin,
    .cong_avoid = (void*)avoid,
    .ssthresh = (void*)threshold,
    .undo_cwnd = (void*)undo,
    .flags = FOR_EVERY_NAMESPACE,
    .name = "skep_steady",
};

char LICENSE[] SEC("license") = "Dual MIT/GPL";
