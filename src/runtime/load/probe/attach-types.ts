import { AttachType, type AttachTypeName, AttachTypeSince, type ProgramTypeName } from "../../../object/spec/index.ts";
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

type Probe = (name: string, since: string, attachType: AttachTypeName) => ProbeResult;

/** Attach types that came later than their program type: how the kernel is asked. Nothing is ever attached. */
const PROBES: Readonly<Partial<Record<AttachTypeName, Probe>>> = {
  trace_iter: byBtfId("tracing", "function:bpf_iter_task"),
  modify_return: byBtfId("tracing", "function:security_file_open"),
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
 * Whether the kernel has an attach type, for this process; those that came with their program type are not asked for
 * (`probeProgramType`). Asked once: the answer is kept while the process runs, unless the kernel refused (EPERM) or told
 * neither way.
 */
export const probeAttachType: (attachType: AttachTypeName) => ProbeResult = askedOnce((attachType) => {
  const since = AttachTypeSince[attachType];
  const probe = PROBES[attachType];
  return since === undefined || probe === undefined
    ? { name: attachType, status: "supported" }
    : probe(attachType, since, attachType);
});

/** The same by the name that people know it by. */
export function attachType(name: string, type: AttachTypeName): ProbeResult {
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
    reason: `It takes the kernel's own BTF (${VMLINUX_BTF}), which is not there.`,
  };
}

function byBtfId(type: ProgramTypeName, key: TypeKey): Probe {
  return (name, since, expectedAttachType) => ofKernel(name, since, key, { type, expectedAttachType });
}

function loaded(type: ProgramTypeName): Probe {
  return (name, since, expectedAttachType) => simple(name, since, { type, expectedAttachType });
}

function kprobeMulti(name: string, since: string, expectedAttachType: AttachTypeName): ProbeResult {
  return link(name, since, { type: "kprobe", expectedAttachType }, EFAULT, (fd) =>
    linkCreate(fd, (attr) => attr.u32(8, AttachType[expectedAttachType]).u32(20, 1).u64(32, BAD_ADDRESS)),
  );
}

function uprobeMulti(name: string, since: string, type: AttachTypeName): ProbeResult {
  const errno = tryUprobeMulti(type);
  return judge(name, errno === EBADF ? 0 : errno, since, neededCapabilities("kprobe"));
}

/** At the interface with the number 0, which there is not. */
function onInterface(name: string, since: string, type: AttachTypeName): ProbeResult {
  return link(name, since, { type: "sched_cls" }, ENODEV, (fd) =>
    linkCreate(fd, (attr) => attr.u32(4, 0).u32(8, AttachType[type])),
  );
}
