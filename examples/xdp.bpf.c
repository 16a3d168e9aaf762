// The kernel side of xdp.ts: drops UDP packets for one port as they arrive, and counts them all.
//
//   npx skep compile xdp.bpf.c && npx skep gen xdp.bpf.o
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __u16 port = 0;
__u64 passed = 0, dropped = 0;

SEC("xdp")
int filter(struct xdp_md* packet) {
  void *data = (void*)(long)packet->data, *end = (void*)(long)packet->data_end;
  struct ethhdr* ethernet = data;
  struct iphdr* ip = data + sizeof(*ethernet);
  struct udphdr* udp = (void*)(ip + 1);
  if ((void*)(udp + 1) > end || ethernet->h_proto != bpf_htons(ETH_P_IP)) return XDP_PASS;
  if (ip->ihl != 5 || ip->protocol != IPPROTO_UDP) return XDP_PASS;
  if (udp->dest != bpf_htons(port)) {
    __sync_fetch_and_add(&passed, 1);
    return XDP_PASS;
  }
  __sync_fetch_and_add(&dropped, 1);
  return XDP_DROP;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
