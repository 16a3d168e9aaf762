// The kernel side of cgroup-connect.ts: connections to one address go to a port of this machine instead.
//
//   npx skep compile cgroup-connect.bpf.c && npx skep gen cgroup-connect.bpf.o
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

const volatile __u16 port = 0;
__u64 redirected = 0;

SEC("cgroup/connect4")
int on_connect(struct bpf_sock_addr* to) {
  if (to->user_ip4 != bpf_htonl(0xc0000201)) return 1; // 192.0.2.1
  to->user_ip4 = bpf_htonl(INADDR_LOOPBACK);
  to->user_port = bpf_htons(port);
  __sync_fetch_and_add(&redirected, 1);
  return 1;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
