/** Program types by their uapi name without the `BPF_PROG_TYPE_` prefix (linux/bpf.h, enum bpf_prog_type). */
export const ProgramType = {
  /** Of a section that is no known kind: a spec must be given another type before it is loaded. */
  unspec: 0,
  socket_filter: 1,
  kprobe: 2,
  sched_cls: 3,
  sched_act: 4,
  tracepoint: 5,
  xdp: 6,
  perf_event: 7,
  cgroup_skb: 8,
  cgroup_sock: 9,
  lwt_in: 10,
  lwt_out: 11,
  lwt_xmit: 12,
  sock_ops: 13,
  sk_skb: 14,
  cgroup_device: 15,
  sk_msg: 16,
  raw_tracepoint: 17,
  cgroup_sock_addr: 18,
  lwt_seg6local: 19,
  lirc_mode2: 20,
  sk_reuseport: 21,
  flow_dissector: 22,
  cgroup_sysctl: 23,
  raw_tracepoint_writable: 24,
  cgroup_sockopt: 25,
  tracing: 26,
  struct_ops: 27,
  ext: 28,
  lsm: 29,
  sk_lookup: 30,
  syscall: 31,
  netfilter: 32,
} as const;

/** The name of a program type, as in `ProgramType`. */
export type ProgramTypeName = keyof typeof ProgramType;

/** Flags of BPF_PROG_LOAD by their uapi name without the `BPF_F_` prefix (linux/bpf.h), for `ProgramSpec.flags`. */
export const ProgramFlag = {
  /** The program may sleep, where its kind can (Linux 5.10). */
  sleepable: 1 << 4,
  /** An XDP program takes packets of several buffers (Linux 5.18). */
  xdp_has_frags: 1 << 5,
} as const;

/** Attach types by their uapi name without the `BPF_` prefix (linux/bpf.h, enum bpf_attach_type). */
export const AttachType = {
  cgroup_inet_ingress: 0,
  cgroup_inet_egress: 1,
  cgroup_inet_sock_create: 2,
  cgroup_sock_ops: 3,
  sk_skb_stream_parser: 4,
  sk_skb_stream_verdict: 5,
  cgroup_device: 6,
  sk_msg_verdict: 7,
  cgroup_inet4_bind: 8,
  cgroup_inet6_bind: 9,
  cgroup_inet4_connect: 10,
  cgroup_inet6_connect: 11,
  cgroup_inet4_post_bind: 12,
  cgroup_inet6_post_bind: 13,
  cgroup_udp4_sendmsg: 14,
  cgroup_udp6_sendmsg: 15,
  lirc_mode2: 16,
  flow_dissector: 17,
  cgroup_sysctl: 18,
  cgroup_udp4_recvmsg: 19,
  cgroup_udp6_recvmsg: 20,
  cgroup_getsockopt: 21,
  cgroup_setsockopt: 22,
  trace_raw_tp: 23,
  trace_fentry: 24,
  trace_fexit: 25,
  modify_return: 26,
  lsm_mac: 27,
  trace_iter: 28,
  cgroup_inet4_getpeername: 29,
  cgroup_inet6_getpeername: 30,
  cgroup_inet4_getsockname: 31,
  cgroup_inet6_getsockname: 32,
  xdp_devmap: 33,
  cgroup_inet_sock_release: 34,
  xdp_cpumap: 35,
  sk_lookup: 36,
  xdp: 37,
  sk_skb_verdict: 38,
  sk_reuseport_select: 39,
  sk_reuseport_select_or_migrate: 40,
  perf_event: 41,
  trace_kprobe_multi: 42,
  lsm_cgroup: 43,
  struct_ops: 44,
  netfilter: 45,
  tcx_ingress: 46,
  tcx_egress: 47,
  trace_uprobe_multi: 48,
  cgroup_unix_connect: 49,
  cgroup_unix_sendmsg: 50,
  cgroup_unix_recvmsg: 51,
  cgroup_unix_getpeername: 52,
  cgroup_unix_getsockname: 53,
  netkit_primary: 54,
  netkit_peer: 55,
  trace_kprobe_session: 56,
  trace_uprobe_session: 57,
  trace_fsession: 58,
  trace_fentry_multi: 59,
  trace_fexit_multi: 60,
  trace_fsession_multi: 61,
} as const;

/** The name of an attach type, as in `AttachType`. */
export type AttachTypeName = keyof typeof AttachType;

/** Types that the kernel has: all but that of a section of no known kind. */
export type KernelProgramType = Exclude<ProgramTypeName, "unspec">;

/** The first kernel that has each program type, when it is built with all that the type needs. */
export const ProgramTypeSince: Readonly<Record<KernelProgramType, string>> = {
  socket_filter: "3.19",
  kprobe: "4.1",
  sched_cls: "4.1",
  sched_act: "4.1",
  tracepoint: "4.7",
  xdp: "4.8",
  perf_event: "4.9",
  cgroup_skb: "4.10",
  cgroup_sock: "4.10",
  lwt_in: "4.10",
  lwt_out: "4.10",
  lwt_xmit: "4.10",
  sock_ops: "4.13",
  sk_skb: "4.14",
  cgroup_device: "4.15",
  sk_msg: "4.17",
  raw_tracepoint: "4.17",
  cgroup_sock_addr: "4.17",
  lwt_seg6local: "4.18",
  lirc_mode2: "4.18",
  sk_reuseport: "4.19",
  flow_dissector: "4.20",
  cgroup_sysctl: "5.2",
  raw_tracepoint_writable: "5.2",
  cgroup_sockopt: "5.3",
  tracing: "5.5",
  struct_ops: "5.6",
  ext: "5.6",
  lsm: "5.7",
  sk_lookup: "5.9",
  syscall: "5.14",
  netfilter: "6.4",
};

/** The first kernel of attach types that came later than their program type, where the kernel looks at them. */
export const AttachTypeSince = {
  trace_iter: "5.8",
  modify_return: "5.7",
  trace_kprobe_multi: "5.18",
  lsm_cgroup: "6.0",
  cgroup_unix_connect: "6.7",
  cgroup_unix_sendmsg: "6.7",
  cgroup_unix_recvmsg: "6.7",
  cgroup_unix_getpeername: "6.7",
  cgroup_unix_getsockname: "6.7",
  tcx_ingress: "6.6",
  tcx_egress: "6.6",
  trace_uprobe_multi: "6.6",
  netkit_primary: "6.7",
  netkit_peer: "6.7",
  trace_kprobe_session: "6.10",
  trace_uprobe_session: "6.13",
  trace_fsession: "7.0",
  trace_fentry_multi: "7.2",
  trace_fexit_multi: "7.2",
  trace_fsession_multi: "7.2",
} as const satisfies Partial<Record<AttachTypeName, string>>;

/** An attach type that came later than its program type. */
export type LaterAttachType = keyof typeof AttachTypeSince;

/** Attach types of programs for many functions, which name none when they are loaded. */
export const MULTI_TRACING: ReadonlySet<AttachTypeName> = new Set([
  "trace_fentry_multi",
  "trace_fexit_multi",
  "trace_fsession_multi",
]);
