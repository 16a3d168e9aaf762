import {
  type KernelProgramType,
  ProgramFlag,
  type ProgramTypeName,
  ProgramTypeSince,
} from "../../../object/spec/index.ts";
import { askedOnce, judge, type ProbeResult } from "../../sys/index.ts";
import { neededCapabilities } from "../program.ts";
import { attemptLoad, type TrialProgram } from "./attempt.ts";

/** What a type needs besides `return 0` to be taken, or to be refused for a reason only its own code has. */
const SPECIAL: Readonly<Partial<Record<ProgramTypeName, Omit<TrialProgram, "type">>>> = {
  cgroup_sock_addr: { expectedAttachType: "cgroup_inet4_connect" },
  cgroup_sockopt: { expectedAttachType: "cgroup_getsockopt" },
  sk_lookup: { expectedAttachType: "sk_lookup" },
  netfilter: { expectedAttachType: "netfilter" },
  syscall: { flags: ProgramFlag.sleepable },
  // BTF type 1 is an int: a kernel that knows the type says that it cannot attach to that.
  tracing: { expectedAttachType: "trace_raw_tp", attachBtfId: 1, log: true },
  lsm: { expectedAttachType: "lsm_mac", attachBtfId: 1, log: true },
  ext: { attachBtfId: 1, log: true },
  struct_ops: { log: true },
};
const KNOWS_TYPE = /attach_btf_id|Cannot replace kernel functions|not a supported struct/;
const ENOTSUPP = 524;

/** Which program types the kernel loads for this process: `probeProgramType` of each. */
export function probeProgramTypes(): ProbeResult[] {
  return (Object.keys(ProgramTypeSince) as KernelProgramType[]).map(probeProgramType);
}

/**
 * Whether the kernel loads programs of a type for this process (BPF_PROG_LOAD; nothing is attached). Asked once: the answer is kept while
 * the process runs, unless the kernel refused (EPERM) or told neither way.
 */
export const probeProgramType: (type: KernelProgramType) => ProbeResult = askedOnce((type) => {
  const { errno, log } = attemptLoad({ type, ...SPECIAL[type] });
  const known = KNOWS_TYPE.test(log) || (type === "struct_ops" && errno === ENOTSUPP);
  return judge(type, known ? 0 : errno, ProgramTypeSince[type], neededCapabilities(type));
});
