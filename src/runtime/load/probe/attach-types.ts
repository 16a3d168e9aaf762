import {
  AttachType,
  type AttachTypeName,
  AttachTypeSince,
  type LaterAttachType,
  type ProgramTypeName,
} from "../../../object/spec/index.ts";
import { askedOnce, BpfAttr, judge, type ProbeResult } from "../../sys/index.ts";
import { neededCapabilities } from "../program.ts";
import { attemptLoad, attemptWith, closeResult, type TrialProgram } from "./attempt.ts";
import { type BtfKindName, findKernelTypes, VMLINUX_BTF } from "./kernel-btf.ts";
import { tryUprobeMulti } from "./uprobe-multi.ts";

const EBADF = 9;
const EFAULT = 14;
const ENODEV = 19;
/** An address no program has mapped: a kernel that reads from it answers EFAULT. */
const BAD_ADDRESS = 8;

export type TypeKey = `${BtfKindName}:${string}`;

type Probe = (attachType: LaterAttachType, since: string) => ProbeResult;

/** How the kernel is asked. Nothing is ever attached. */
const PROBES: Readonly<Record<LaterAttachType, Probe>> = {
  trace_iter: byBtfId("tracing", "function:bpf_iter_task"),
  modify_return: modifyReturn,
  trace_fsession: byBtfId("tracing", "function:vfs_open"),
  lsm_cgroup: byBtfId("lsm", "function:bpf_lsm_file_open"),
  trace_kprobe_multi: kprobeMulti,
  trace_kprobe_session: kprobeMulti,
  trace_uprobe_multi: uprobeMulti,
  trace_uprobe_session: uprobeMulti,
  tcx_ingress: onInterface,
  tcx_egress: onInterface,
  netkit_primary: onInterface,
  netkit_peer: onInterface,
  trace_fentry_multi: loaded("tracing"),
  trace_fexit_multi: loaded("tracing"),
  trace_fsession_multi: loaded("tracing"),
  cgroup_unix_connect: loaded("cgroup_sock_addr"),
  cgroup_unix_sendmsg: loaded("cgroup_sock_addr"),
  cgroup_unix_recvmsg: loaded("cgroup_sock_addr"),
  cgroup_unix_getpeername: loaded("cgroup_sock_addr"),
  cgroup_unix_getsockname: loaded("cgroup_sock_addr"),
};

/**
 * Whether the kernel has an attach type for this process: one that came later than its program type (what came with it is there
 * when that is, `probeProgramType`). Asked once: the answer is kept while the process runs, unless the kernel refused (EPERM) or
 * told neither way.
 */
export const probeAttachType: (attachType: LaterAttachType) => ProbeResult = askedOnce((attachType) =>
  PROBES[attachType](attachType, AttachTypeSince[attachType]),
);

export function isLaterAttachType(attachType: AttachTypeName): attachType is LaterAttachType {
  return Object.hasOwn(AttachTypeSince, attachType);
}

/** The same by the name that people know it by. */
export function attachType(name: string, type: LaterAttachType): ProbeResult {
  return { ...probeAttachType(type), name };
}

/** Loads a program and nothing more. */
export function simple(name: string, since: string, program: TrialProgram): ProbeResult {
  return judge(name, attemptLoad(program).errno, since, neededCapabilities(program.type));
}

/** Loads a program and asks to attach it to what does not exist; `known` is the errno of a kernel that knows the kind. */
export function link(
  name: string,
  since: string,
  program: TrialProgram,
  known: number,
  attach: (fd: number) => number,
): ProbeResult {
  const errno = -attemptWith(program, attach);
  return judge(name, errno === known ? 0 : errno, since, neededCapabilities(program.type));
}

/** BPF_LINK_CREATE for a program; `fill` writes the rest of the attributes. */
export function linkCreate(program: number, fill: (attr: BpfAttr) => BpfAttr): number {
  return closeResult(fill(new BpfAttr().u32(0, program)).call("BPF_LINK_CREATE"), "trial link");
}

/** Loads a program for a function or type of the kernel's, which exists wherever its kind of program does. */
export function ofKernel(
  name: string,
  since: string,
  key: TypeKey,
  program: Omit<TrialProgram, "attachBtfId">,
): ProbeResult {
  const { ids, isReadable } = findKernelTypes([key]);
  const id = ids.get(key);
  if (id !== undefined) return simple(name, since, { ...program, attachBtfId: id });
  return isReadable
    ? { name, since, status: "unsupported", reason: `The kernel's BTF has no ${key.replace(":", " ")}.` }
    : withoutBtf(name, since);
}

export function withoutBtf(name: string, since: string): ProbeResult {
  return {
    name,
    since,
    status: "unknown",
    reason: `It takes the kernel's own BTF (${VMLINUX_BTF}), which is not there or cannot be read.`,
  };
}

function byBtfId(type: ProgramTypeName, key: TypeKey): Probe {
  return (expectedAttachType, since) => ofKernel(expectedAttachType, since, key, { type, expectedAttachType });
}

function loaded(type: ProgramTypeName): Probe {
  return (expectedAttachType, since) => simple(expectedAttachType, since, { type, expectedAttachType });
}

/** Of a kernel without security hooks other functions could be asked about; which, nobody says. */
function modifyReturn(name: LaterAttachType, since: string): ProbeResult {
  const key: TypeKey = "function:security_file_open";
  const { ids, isReadable } = findKernelTypes([key]);
  if (isReadable && !ids.has(key))
    return { name, since, status: "unknown", reason: "The kernel has no security hooks, by which it is asked." };
  return ofKernel(name, since, key, { type: "tracing", expectedAttachType: name });
}

function kprobeMulti(name: LaterAttachType, since: string): ProbeResult {
  return link(name, since, { type: "kprobe", expectedAttachType: name }, EFAULT, (fd) =>
    linkCreate(fd, (attr) => attr.u32(8, AttachType[name]).u32(20, 1).u64(32, BAD_ADDRESS)),
  );
}

function uprobeMulti(name: LaterAttachType, since: string): ProbeResult {
  const errno = tryUprobeMulti(name);
  return judge(name, errno === EBADF ? 0 : errno, since, neededCapabilities("kprobe"));
}

/** At the interface with the number 0, which there is not. */
function onInterface(name: LaterAttachType, since: string): ProbeResult {
  return link(name, since, { type: "sched_cls" }, ENODEV, (fd) =>
    linkCreate(fd, (attr) => attr.u32(4, 0).u32(8, AttachType[name])),
  );
}
