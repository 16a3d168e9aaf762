// The kernel side of tcx.ts: the bytes that come and go at an interface.
//
//   npx skep compile tcx.bpf.c && npx skep gen tcx.bpf.o
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define TCX_NEXT (-1) // the next program decides

__u64 received = 0, sent = 0;

SEC("tcx/ingress")
int on_arrival(struct __sk_buff* packet) {
  __sync_fetch_and_add(&received, packet->len);
  return TCX_NEXT;
}

SEC("tcx/egress")
int on_departure(struct __sk_buff* packet) {
  __sync_fetch_and_add(&sent, packet->len);
  return TCX_NEXT;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
