import type { KernelConfig, ProbeResult } from "../../sdk/index.ts";
import type { Advice } from "./report.ts";

/** What a feature is for, what to do without it, and the options a kernel needs to have it. */
interface Known {
  /** Said when it works. */
  readonly use?: string;
  /** Said when it does not: what is lost, and what does the same. */
  readonly without?: string;
  readonly options?: readonly string[];
}

const BTF = "CONFIG_DEBUG_INFO_BTF";
const EVENTS = "CONFIG_BPF_EVENTS";

const ATTACH_KINDS: Readonly<Record<string, Known>> = {
  "raw tracepoints": {
    use: "Every system call, scheduling and more; skep trace stands on them.",
    without: "skep trace does not work.",
    options: [EVENTS],
  },
  tp_btf: {
    use: "Raw tracepoints with typed arguments.",
    without: "Raw tracepoints give the same events, with untyped arguments.",
    options: [BTF, EVENTS],
  },
  "tracepoints (perf)": {
    use: "Tracepoints by group:name, for one process if wanted.",
    without: "Raw tracepoints give the same events and need no tracefs.",
    options: [EVENTS, "CONFIG_FTRACE_SYSCALLS"],
  },
  "perf events": { use: "Samples by a clock or a hardware counter.", options: ["CONFIG_PERF_EVENTS", EVENTS] },
  kprobes: {
    use: "Any kernel function.",
    without: "Kernel functions cannot be traced this way; fentry can do it, and tracepoints cover most of it.",
    options: ["CONFIG_KPROBES", "CONFIG_KPROBE_EVENTS"],
  },
  uprobes: { use: "Any function of a program or library.", options: ["CONFIG_UPROBES", "CONFIG_UPROBE_EVENTS"] },
  "kprobe.multi": {
    use: "Many kernel functions at once.",
    without: "Kprobes do it one by one, where there are kprobes.",
    options: ["CONFIG_FPROBE"],
  },
  "kprobe.session": {
    use: "One program at both ends of many kernel functions.",
    without: "Two programs do it, with kprobe.multi, and a map between them.",
    options: ["CONFIG_FPROBE"],
  },
  "uprobe.session": {
    use: "One program at both ends of many functions of a program.",
    without: "Two programs do it, with uprobe.multi, and a map between them.",
    options: ["CONFIG_UPROBES"],
  },
  "uprobe.multi": {
    use: "Many functions of a program at once.",
    without: "Uprobes do it one by one.",
    options: ["CONFIG_UPROBES"],
  },
  fentry: {
    use: "Kernel functions with typed arguments, the cheapest way.",
    without: "Kprobes do it at a higher price, where there are kprobes; tracepoints cover most of it.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
  },
  fexit: {
    use: "Kernel functions with their arguments and result.",
    without: "Kretprobes do it at a higher price, where there are kprobes; tracepoints cover most of it.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
  },
  fsession: {
    use: "One program at both ends of a kernel function.",
    without: "fentry and fexit do it, with a map between them.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
  },
  "fentry.multi": {
    use: "Many kernel functions at once, the cheapest way (fexit.multi and fsession.multi, too).",
    without: "kprobe.multi does it at a higher price; fentry one by one.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
  },
  fmod_ret: {
    use: "Can make a security hook deny.",
    without: "LSM programs can deny, and cgroup hooks for the network.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"],
  },
  lsm: {
    use: "Can deny what a process asks for.",
    without: "Files and processes cannot be guarded from a program; cgroup hooks still can for the network.",
    options: ["CONFIG_BPF_LSM", BTF],
  },
  lsm_cgroup: {
    use: "Can deny for one cgroup only.",
    without: "lsm with a filter on the cgroup does it.",
    options: ["CONFIG_BPF_LSM", "CONFIG_CGROUP_BPF", BTF],
  },
  iterators: { use: "Lists of tasks, maps, sockets as the kernel has them.", options: [BTF] },
  "cgroup links": { use: "Sockets, devices and sysctls of one cgroup.", options: ["CONFIG_CGROUP_BPF"] },
  xdp: { use: "Packets before the network stack.", options: ["CONFIG_NET"] },
  tcx: {
    use: "Packets in and out of an interface.",
    without: "The older tc filters (clsact) do it.",
    options: ["CONFIG_NET_XGRESS"],
  },
  netkit: {
    use: "Devices for containers run by eBPF.",
    without: "veth with tcx or tc does it.",
    options: ["CONFIG_NETKIT"],
  },
  netfilter: { use: "Hooks of netfilter.", without: "tcx or tc does it.", options: ["CONFIG_NETFILTER_BPF_LINK"] },
  sk_lookup: { use: "Chooses the socket for a connection.", options: ["CONFIG_INET"] },
  "struct_ops (TCP congestion control)": {
    use: "Congestion control in eBPF.",
    options: [BTF, "CONFIG_BPF_JIT", "CONFIG_INET"],
  },
  "struct_ops (sched_ext)": {
    use: "Schedulers in eBPF.",
    without: "The kernel's own scheduler stays.",
    options: ["CONFIG_SCHED_CLASS_EXT"],
  },
};

const CGROUP: Known = { options: ["CONFIG_CGROUP_BPF"] };
const TRACING: Known = { options: [EVENTS] };
const NETWORK: Known = { options: ["CONFIG_NET"] };

const PROGRAM_TYPES: Readonly<Record<string, Known>> = {
  kprobe: TRACING,
  tracepoint: TRACING,
  perf_event: TRACING,
  raw_tracepoint: { ...TRACING, without: "skep trace does not work." },
  raw_tracepoint_writable: TRACING,
  tracing: { options: [BTF, EVENTS] },
  lsm: { options: ["CONFIG_BPF_LSM", BTF] },
  ext: { options: [BTF, "CONFIG_BPF_JIT"] },
  struct_ops: { options: [BTF, "CONFIG_BPF_JIT"] },
  cgroup_skb: CGROUP,
  cgroup_sock: CGROUP,
  cgroup_device: CGROUP,
  cgroup_sock_addr: CGROUP,
  cgroup_sysctl: CGROUP,
  cgroup_sockopt: CGROUP,
  sock_ops: CGROUP,
  lwt_in: { options: ["CONFIG_LWTUNNEL_BPF"] },
  lwt_out: { options: ["CONFIG_LWTUNNEL_BPF"] },
  lwt_xmit: { options: ["CONFIG_LWTUNNEL_BPF"] },
  lwt_seg6local: { options: ["CONFIG_IPV6_SEG6_BPF"] },
  lirc_mode2: { without: "Remote controls cannot be decoded by a program.", options: ["CONFIG_BPF_LIRC_MODE2"] },
  netfilter: { options: ["CONFIG_NETFILTER_BPF_LINK"] },
  sk_lookup: { options: ["CONFIG_INET"] },
  sk_reuseport: { options: ["CONFIG_INET"] },
  socket_filter: NETWORK,
  sched_cls: NETWORK,
  sched_act: NETWORK,
  xdp: NETWORK,
  sk_skb: NETWORK,
  sk_msg: NETWORK,
  flow_dissector: NETWORK,
};

const MAP_TYPES: Readonly<Record<string, Known>> = {
  ringbuf: { without: "skep trace does not work; perf buffers are older." },
  perf_event_array: { options: ["CONFIG_PERF_EVENTS"] },
  stack_trace: { options: ["CONFIG_PERF_EVENTS"] },
  cgroup_array: { without: "skep trace --cgroup does not work.", options: ["CONFIG_CGROUPS"] },
  cgroup_storage: CGROUP,
  percpu_cgroup_storage: CGROUP,
  cgrp_storage: { options: ["CONFIG_CGROUPS"] },
  xskmap: { options: ["CONFIG_XDP_SOCKETS"] },
  sockmap: NETWORK,
  sockhash: NETWORK,
  devmap: NETWORK,
  devmap_hash: NETWORK,
  cpumap: NETWORK,
  sk_storage: NETWORK,
  reuseport_sockarray: { options: ["CONFIG_INET"] },
  inode_storage: { options: ["CONFIG_BPF_LSM"] },
  struct_ops: { options: ["CONFIG_BPF_JIT", BTF] },
  user_ringbuf: { without: "Programs get messages through other maps." },
  arena: { without: "Memory is shared through mapped arrays." },
};

const VERIFIER: Readonly<Record<string, Known>> = {
  "atomics with fetch (cmpxchg)": {
    use: "skep trace stands on its best rung.",
    without: "skep trace stands on its second rung: the map of threads takes all its memory at once.",
  },
  "bounded loops": { without: "Loops must be unrolled; skep trace does not load." },
  "more than 4096 instructions": { without: "Only short programs load." },
  "BPF links": { without: "Attachments are tied to descriptors of perf events; some kinds do not exist." },
  "arrays mapped into memory": { without: "Arrays are read with one system call per element." },
  "reading maps in batches": { without: "Maps are read key by key, some twenty times slower." },
};

const HELPERS: Readonly<Record<string, Known>> = {
  override_return: {
    without: "Errors cannot be injected into kernel functions.",
    options: ["CONFIG_BPF_KPROBE_OVERRIDE"],
  },
  probe_read_kernel: { without: "skep trace does not work." },
  probe_read_user_str: { without: "skep trace does not work." },
  ringbuf_reserve: { without: "skep trace does not work." },
  current_task_under_cgroup: { without: "skep trace --cgroup does not work.", options: ["CONFIG_CGROUPS"] },
};

const TABLES = {
  attachKinds: ATTACH_KINDS,
  programTypes: PROGRAM_TYPES,
  mapTypes: MAP_TYPES,
  verifier: VERIFIER,
  helpers: HELPERS,
} as const;

/** Exported for the test that its names are the probes'. */
export const knownFeatures: Readonly<Record<keyof typeof TABLES, readonly string[]>> = {
  attachKinds: Object.keys(ATTACH_KINDS),
  programTypes: Object.keys(PROGRAM_TYPES),
  mapTypes: Object.keys(MAP_TYPES),
  verifier: Object.keys(VERIFIER),
  helpers: Object.keys(HELPERS),
};

/** What the machine tells that decides the mend. */
export interface Ground {
  readonly release: string;
  readonly config: KernelConfig | undefined;
  /** Capabilities held, with what CAP_SYS_ADMIN stands for; undefined when not known. */
  readonly held: ReadonlySet<string> | undefined;
}

/** A probe's answer with what it means and what to do. */
export function withAdvice<R extends ProbeResult>(kind: keyof typeof TABLES, result: R, ground: Ground): R & Advice {
  const known: Known = TABLES[kind][result.name] ?? {};
  const consequence =
    result.status === "supported" ? known.use : result.status === "unknown" ? undefined : known.without;
  const mend = mendOf(result, known, ground);
  return { ...result, ...(consequence !== undefined && { consequence }), ...(mend !== undefined && { mend }) };
}

function mendOf(result: ProbeResult, known: Known, { release, config, held }: Ground): string | undefined {
  switch (result.status) {
    case "supported":
      return undefined;
    case "refused":
      return held?.has("CAP_BPF") === true && held.has("CAP_PERFMON") && held.has("CAP_NET_ADMIN")
        ? undefined
        : "Run as root, or give the missing capabilities.";
    case "unknown":
      return result.name === "tracepoints (perf)" ? "mount -t tracefs tracefs /sys/kernel/tracing" : undefined;
    case "unsupported":
  }
  // The probe itself knew why.
  if (result.reason?.includes("list of security modules") === true) return "Boot with bpf in lsm=.";
  if (config !== undefined) {
    const off = (known.options ?? []).filter((name) => config.option(name) === "n");
    if (off.length > 0)
      return `A kernel built with ${off.join(", ")}; here ${off.length > 1 ? "they are" : "it is"} off.`;
  }
  if (result.since !== undefined && isOlder(release, result.since)) return `Linux ${result.since} or newer.`;
  return known.options === undefined ? undefined : `A kernel built with ${known.options.join(", ")}.`;
}

/** Whether a release is older than a version; for advice only, no answer rests on it. */
function isOlder(release: string, version: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
