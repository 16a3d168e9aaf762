import { type AttachTypeName, ProgramFlag, type ProgramTypeName } from "../program-type.ts";

/** What a section's name says about the programs in it. */
export interface SectionKind {
  /** The name, or with a `+` behind it the part before a `/` and what to attach to. */
  readonly name: string;
  readonly type: ProgramTypeName;
  readonly attachType?: AttachTypeName;
  /** BPF_F_* flags of BPF_PROG_LOAD. */
  readonly flags?: number;
  /** User statically defined tracing: attached through uprobes. */
  readonly usdt?: true;
}

const { sleepable: SLEEPABLE, xdp_has_frags: XDP_FRAGS } = ProgramFlag;

type Row = readonly [name: string, type: ProgramTypeName, attachType?: AttachTypeName | undefined, flags?: number];

/** The kernel's documentation lists them: https://docs.kernel.org/bpf/libbpf/program_types.html. The first that fits counts. */
const ROWS: readonly Row[] = [
  ["socket", "socket_filter"],
  ["sk_reuseport/migrate", "sk_reuseport", "sk_reuseport_select_or_migrate"],
  ["sk_reuseport", "sk_reuseport", "sk_reuseport_select"],
  ["kprobe+", "kprobe"],
  ["uprobe+", "kprobe"],
  ["uprobe.s+", "kprobe", undefined, SLEEPABLE],
  ["kretprobe+", "kprobe"],
  ["uretprobe+", "kprobe"],
  ["uretprobe.s+", "kprobe", undefined, SLEEPABLE],
  ["kprobe.multi+", "kprobe", "trace_kprobe_multi"],
  ["kretprobe.multi+", "kprobe", "trace_kprobe_multi"],
  ["kprobe.session+", "kprobe", "trace_kprobe_session"],
  ["uprobe.multi+", "kprobe", "trace_uprobe_multi"],
  ["uretprobe.multi+", "kprobe", "trace_uprobe_multi"],
  ["uprobe.session+", "kprobe", "trace_uprobe_session"],
  ["uprobe.multi.s+", "kprobe", "trace_uprobe_multi", SLEEPABLE],
  ["uretprobe.multi.s+", "kprobe", "trace_uprobe_multi", SLEEPABLE],
  ["uprobe.session.s+", "kprobe", "trace_uprobe_session", SLEEPABLE],
  ["ksyscall+", "kprobe"],
  ["kretsyscall+", "kprobe"],
  ["usdt+", "kprobe"],
  ["usdt.s+", "kprobe", undefined, SLEEPABLE],
  ["tc/ingress", "sched_cls", "tcx_ingress"],
  ["tc/egress", "sched_cls", "tcx_egress"],
  ["tcx/ingress", "sched_cls", "tcx_ingress"],
  ["tcx/egress", "sched_cls", "tcx_egress"],
  ["tc", "sched_cls"],
  ["classifier", "sched_cls"],
  ["action", "sched_act"],
  ["netkit/primary", "sched_cls", "netkit_primary"],
  ["netkit/peer", "sched_cls", "netkit_peer"],
  ["tracepoint+", "tracepoint"],
  ["tp+", "tracepoint"],
  ["raw_tracepoint+", "raw_tracepoint"],
  ["raw_tp+", "raw_tracepoint"],
  ["raw_tracepoint.w+", "raw_tracepoint_writable"],
  ["raw_tp.w+", "raw_tracepoint_writable"],
  ["tp_btf+", "tracing", "trace_raw_tp"],
  ["fentry+", "tracing", "trace_fentry"],
  ["fmod_ret+", "tracing", "modify_return"],
  ["fexit+", "tracing", "trace_fexit"],
  ["fentry.s+", "tracing", "trace_fentry", SLEEPABLE],
  ["fmod_ret.s+", "tracing", "modify_return", SLEEPABLE],
  ["fexit.s+", "tracing", "trace_fexit", SLEEPABLE],
  ["fsession+", "tracing", "trace_fsession"],
  ["fsession.s+", "tracing", "trace_fsession", SLEEPABLE],
  ["fentry.multi+", "tracing", "trace_fentry_multi"],
  ["fexit.multi+", "tracing", "trace_fexit_multi"],
  ["fsession.multi+", "tracing", "trace_fsession_multi"],
  ["fentry.multi.s+", "tracing", "trace_fentry_multi", SLEEPABLE],
  ["fexit.multi.s+", "tracing", "trace_fexit_multi", SLEEPABLE],
  ["fsession.multi.s+", "tracing", "trace_fsession_multi", SLEEPABLE],
  ["freplace+", "ext"],
  ["lsm+", "lsm", "lsm_mac"],
  ["lsm.s+", "lsm", "lsm_mac", SLEEPABLE],
  ["lsm_cgroup+", "lsm", "lsm_cgroup"],
  ["iter+", "tracing", "trace_iter"],
  ["iter.s+", "tracing", "trace_iter", SLEEPABLE],
  ["syscall", "syscall", undefined, SLEEPABLE],
  ["xdp.frags/devmap", "xdp", "xdp_devmap", XDP_FRAGS],
  ["xdp/devmap", "xdp", "xdp_devmap"],
  ["xdp.frags/cpumap", "xdp", "xdp_cpumap", XDP_FRAGS],
  ["xdp/cpumap", "xdp", "xdp_cpumap"],
  ["xdp.frags", "xdp", "xdp", XDP_FRAGS],
  ["xdp", "xdp", "xdp"],
  ["perf_event", "perf_event"],
  ["lwt_in", "lwt_in"],
  ["lwt_out", "lwt_out"],
  ["lwt_xmit", "lwt_xmit"],
  ["lwt_seg6local", "lwt_seg6local"],
  ["sockops", "sock_ops", "cgroup_sock_ops"],
  ["sk_skb/stream_parser", "sk_skb", "sk_skb_stream_parser"],
  ["sk_skb/stream_verdict", "sk_skb", "sk_skb_stream_verdict"],
  ["sk_skb/verdict", "sk_skb", "sk_skb_verdict"],
  ["sk_skb", "sk_skb"],
  ["sk_msg", "sk_msg", "sk_msg_verdict"],
  ["lirc_mode2", "lirc_mode2", "lirc_mode2"],
  ["flow_dissector", "flow_dissector", "flow_dissector"],
  ["cgroup_skb/ingress", "cgroup_skb", "cgroup_inet_ingress"],
  ["cgroup_skb/egress", "cgroup_skb", "cgroup_inet_egress"],
  ["cgroup/skb", "cgroup_skb"],
  ["cgroup/sock_create", "cgroup_sock", "cgroup_inet_sock_create"],
  ["cgroup/sock_release", "cgroup_sock", "cgroup_inet_sock_release"],
  ["cgroup/sock", "cgroup_sock", "cgroup_inet_sock_create"],
  ["cgroup/post_bind4", "cgroup_sock", "cgroup_inet4_post_bind"],
  ["cgroup/post_bind6", "cgroup_sock", "cgroup_inet6_post_bind"],
  ["cgroup/bind4", "cgroup_sock_addr", "cgroup_inet4_bind"],
  ["cgroup/bind6", "cgroup_sock_addr", "cgroup_inet6_bind"],
  ["cgroup/connect4", "cgroup_sock_addr", "cgroup_inet4_connect"],
  ["cgroup/connect6", "cgroup_sock_addr", "cgroup_inet6_connect"],
  ["cgroup/connect_unix", "cgroup_sock_addr", "cgroup_unix_connect"],
  ["cgroup/sendmsg4", "cgroup_sock_addr", "cgroup_udp4_sendmsg"],
  ["cgroup/sendmsg6", "cgroup_sock_addr", "cgroup_udp6_sendmsg"],
  ["cgroup/sendmsg_unix", "cgroup_sock_addr", "cgroup_unix_sendmsg"],
  ["cgroup/recvmsg4", "cgroup_sock_addr", "cgroup_udp4_recvmsg"],
  ["cgroup/recvmsg6", "cgroup_sock_addr", "cgroup_udp6_recvmsg"],
  ["cgroup/recvmsg_unix", "cgroup_sock_addr", "cgroup_unix_recvmsg"],
  ["cgroup/getpeername4", "cgroup_sock_addr", "cgroup_inet4_getpeername"],
  ["cgroup/getpeername6", "cgroup_sock_addr", "cgroup_inet6_getpeername"],
  ["cgroup/getpeername_unix", "cgroup_sock_addr", "cgroup_unix_getpeername"],
  ["cgroup/getsockname4", "cgroup_sock_addr", "cgroup_inet4_getsockname"],
  ["cgroup/getsockname6", "cgroup_sock_addr", "cgroup_inet6_getsockname"],
  ["cgroup/getsockname_unix", "cgroup_sock_addr", "cgroup_unix_getsockname"],
  ["cgroup/sysctl", "cgroup_sysctl", "cgroup_sysctl"],
  ["cgroup/getsockopt", "cgroup_sockopt", "cgroup_getsockopt"],
  ["cgroup/setsockopt", "cgroup_sockopt", "cgroup_setsockopt"],
  ["cgroup/dev", "cgroup_device", "cgroup_device"],
  ["struct_ops+", "struct_ops"],
  ["struct_ops.s+", "struct_ops", undefined, SLEEPABLE],
  ["sk_lookup", "sk_lookup", "sk_lookup"],
  ["netfilter", "netfilter", "netfilter"],
];

export interface SectionMeaning {
  readonly kind: SectionKind;
  /** What stands behind the kind: `do_unlinkat` in `kprobe/do_unlinkat`. */
  readonly attachTo: string;
  /** Not loaded unless asked for: a `?` before the name. */
  readonly optional: boolean;
}

/** What the name of a section with programs means; one that is no known kind is of type `unspec`. */
export function sectionMeaning(section: string): SectionMeaning {
  const optional = section.startsWith("?");
  const name = optional ? section.slice(1) : section;
  // Objects written before libbpf 1.0 put anything behind a kind: `socket/tail`, `socket_filter/x`, `xdp/y`.
  return (
    meaningOf(name, optional, false) ??
    meaningOf(name.replace(/^socket_filter\b/, "socket"), optional, true) ?? {
      kind: { name, type: "unspec" },
      attachTo: "",
      optional,
    }
  );
}

/** A row, taken apart: it is looked at for every program. */
interface Kind {
  readonly kind: SectionKind;
  /** Whether something may stand behind it. */
  readonly open: boolean;
}

let kinds: readonly Kind[] | undefined;

function kindOf([pattern, type, attachType, flags]: Row): Kind {
  const open = pattern.endsWith("+");
  const name = open ? pattern.slice(0, -1) : pattern;
  const kind = {
    name,
    type,
    ...(attachType !== undefined && { attachType }),
    ...(flags !== undefined && { flags }),
    ...(name.startsWith("usdt") && { usdt: true as const }),
  };
  return { kind, open };
}

function meaningOf(name: string, optional: boolean, anything: boolean): SectionMeaning | undefined {
  kinds ??= ROWS.map(kindOf);
  for (const { kind, open } of kinds) {
    const { length } = kind.name;
    if (!name.startsWith(kind.name)) continue;
    if (name.length !== length && !((open || anything) && name[length] === "/")) continue;
    // Plain data, and the caller's: a copy of the kind, too.
    return { kind: { ...kind }, attachTo: name.slice(length + 1), optional };
  }
  return undefined;
}
