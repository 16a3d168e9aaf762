import type { ProgramTypeName } from "../../../object/spec/index.ts";
import { neededCapabilities } from "../program.ts";
import { attemptLoad, SLEEPABLE, type TrialProgram } from "./attempt.ts";
import { judge, type ProbeResult } from "./result.ts";

type KernelProgramType = Exclude<ProgramTypeName, "unspec">;

/** The first kernel that has each program type. */
const SINCE: Readonly<Record<KernelProgramType, string>> = {
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

/** What a type needs besides `return 0` to be taken, or to be refused for a reason only its own code has. */
const SPECIAL: Readonly<Partial<Record<ProgramTypeName, Omit<TrialProgram, "type">>>> = {
  cgroup_sock_addr: { expectedAttachType: "cgroup_inet4_connect" },
  cgroup_sockopt: { expectedAttachType: "cgroup_getsockopt" },
  sk_lookup: { expectedAttachType: "sk_lookup" },
  netfilter: { expectedAttachType: "netfilter" },
  syscall: { flags: SLEEPABLE },
  // BTF type 1 is an int: a kernel that knows the type says that it cannot attach to that.
  tracing: { expectedAttachType: "trace_raw_tp", attachBtfId: 1, log: true },
  lsm: { expectedAttachType: "lsm_mac", attachBtfId: 1, log: true },
  ext: { attachBtfId: 1, log: true },
  struct_ops: { log: true },
};
const KNOWS_TYPE = /attach_btf_id|Cannot replace kernel functions|not a supported struct/;
const ENOTSUPP = 524;

/** Which program types the kernel loads for this process (BPF_PROG_LOAD; nothing is attached). */
export function probeProgramTypes(): ProbeResult[] {
  return (Object.keys(SINCE) as KernelProgramType[]).map(probeProgramType);
}

export function probeProgramType(type: KernelProgramType): ProbeResult {
  const { errno, log } = attemptLoad({ type, ...SPECIAL[type] });
  const known = KNOWS_TYPE.test(log) || (type === "struct_ops" && errno === ENOTSUPP);
  return judge(type, known ? 0 : errno, SINCE[type], neededCapabilities(type));
}
