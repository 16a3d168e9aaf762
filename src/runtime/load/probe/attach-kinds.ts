import { existsSync, readFileSync } from "node:fs";
import { AttachType, type AttachTypeName } from "../../../object/spec/index.ts";
import { BpfAttr, judge, openPerfEvent, type ProbeResult, SystemError } from "../../sys/index.ts";
import { neededCapabilities } from "../program.ts";
import { attemptLoad, attemptWith, closeResult, type TrialProgram } from "./attempt.ts";
import { lsmNames, mountsOf } from "./environment.ts";
import { type BtfKindName, findKernelTypes, VMLINUX_BTF } from "./kernel-btf.ts";
import { tryUprobeMulti } from "./uprobe-multi.ts";

const EBADF = 9;
const EFAULT = 14;
const ENODEV = 19;
const ENOENT = 2;
const EAFNOSUPPORT = 97;
const BAD_FD = 0xffff_ffff;
/** An address no program has mapped: a kernel that reads from it answers EFAULT. */
const BAD_ADDRESS = 8;
const PMU = "/sys/bus/event_source/devices";

type TypeKey = `${BtfKindName}:${string}`;

/** Functions and types of the kernel that trial programs name; each of the first four exists wherever its kind does. */
const RAW_TP: TypeKey = "typedef:btf_trace_sys_enter";
const FUNCTION: TypeKey = "function:vfs_open";
const SECURITY: TypeKey = "function:security_file_open";
const LSM_HOOK: TypeKey = "function:bpf_lsm_file_open";
const ITERATOR: TypeKey = "function:bpf_iter_task";
const TCP_OPS: readonly TypeKey[] = ["struct:bpf_struct_ops_tcp_congestion_ops", "struct:tcp_congestion_ops"];
const SCHED_OPS: TypeKey = "struct:bpf_struct_ops_sched_ext_ops";

/**
 * Which kinds of attachment work here. Programs are loaded and links are asked for with targets that do not exist, so
 * that the kernel's errno tells whether it knows the kind; nothing is ever attached.
 */
export function probeAttachKinds(): ProbeResult[] {
  const types = findKernelTypes([RAW_TP, FUNCTION, SECURITY, LSM_HOOK, ITERATOR, ...TCP_OPS, SCHED_OPS]);
  const btf = (name: string, since: string, key: TypeKey, program: Omit<TrialProgram, "attachBtfId">) =>
    byBtfId(name, since, types, key, program);
  return [
    link("raw tracepoints", "4.17", { type: "raw_tracepoint" }, ENOENT, (fd) =>
      closeResult(
        new BpfAttr().cString(0, "skep_no_such_tracepoint").u32(8, fd).call("BPF_RAW_TRACEPOINT_OPEN"),
        "link",
      ),
    ),
    btf("tp_btf", "5.5", RAW_TP, { type: "tracing", expectedAttachType: "trace_raw_tp" }),
    tracepoints(),
    perfEvents(),
    pmu("kprobes", "kprobe", "4.17", "CONFIG_KPROBE_EVENTS"),
    pmu("uprobes", "uprobe", "4.17", "CONFIG_UPROBE_EVENTS"),
    kprobeMulti("kprobe.multi", "5.18", "trace_kprobe_multi"),
    kprobeMulti("kprobe.session", "6.10", "trace_kprobe_session"),
    uprobeMulti("uprobe.multi", "6.6", "trace_uprobe_multi"),
    uprobeMulti("uprobe.session", "6.13", "trace_uprobe_session"),
    btf("fentry", "5.5", FUNCTION, { type: "tracing", expectedAttachType: "trace_fentry" }),
    btf("fexit", "5.5", FUNCTION, { type: "tracing", expectedAttachType: "trace_fexit" }),
    btf("fsession", "7.0", FUNCTION, { type: "tracing", expectedAttachType: "trace_fsession" }),
    simple("fentry.multi", "7.2", { type: "tracing", expectedAttachType: "trace_fentry_multi" }),
    btf("fmod_ret", "5.7", SECURITY, { type: "tracing", expectedAttachType: "modify_return" }),
    lsm(btf("lsm", "5.7", LSM_HOOK, { type: "lsm", expectedAttachType: "lsm_mac" })),
    lsm(btf("lsm_cgroup", "6.0", LSM_HOOK, { type: "lsm", expectedAttachType: "lsm_cgroup" })),
    btf("iterators", "5.8", ITERATOR, { type: "tracing", expectedAttachType: "trace_iter" }),
    link("cgroup links", "5.7", { type: "cgroup_sock", expectedAttachType: "cgroup_inet_sock_create" }, EBADF, (fd) =>
      linkCreate(fd, "trial link", (attr) => attr.u32(4, BAD_FD).u32(8, AttachType.cgroup_inet_sock_create)),
    ),
    // No wrong interface tells apart whether XDP links are known (both answers are EINVAL): loading has to do.
    simple("xdp", "4.8", { type: "xdp", expectedAttachType: "xdp" }),
    link("tcx", "6.6", { type: "sched_cls" }, ENODEV, (fd) =>
      linkCreate(fd, "trial link", (attr) => attr.u32(4, 0).u32(8, AttachType.tcx_ingress)),
    ),
    link("netkit", "6.7", { type: "sched_cls" }, ENODEV, (fd) =>
      linkCreate(fd, "trial link", (attr) => attr.u32(4, 0).u32(8, AttachType.netkit_primary)),
    ),
    link("netfilter", "6.4", { type: "netfilter", expectedAttachType: "netfilter" }, EAFNOSUPPORT, (fd) =>
      linkCreate(fd, "trial link", (attr) => attr.u32(8, AttachType.netfilter).u32(16, 1)),
    ),
    link("sk_lookup", "5.9", { type: "sk_lookup", expectedAttachType: "sk_lookup" }, EBADF, (fd) =>
      linkCreate(fd, "trial link", (attr) => attr.u32(4, BAD_FD).u32(8, AttachType.sk_lookup)),
    ),
    structOps("struct_ops (TCP congestion control)", "5.6", types, TCP_OPS),
    structOps("struct_ops (sched_ext)", "6.12", types, [SCHED_OPS]),
  ];
}

function kprobeMulti(name: string, since: string, attachType: AttachTypeName): ProbeResult {
  return link(name, since, { type: "kprobe", expectedAttachType: attachType }, EFAULT, (fd) =>
    linkCreate(fd, "trial link", (attr) => attr.u32(8, AttachType[attachType]).u32(20, 1).u64(32, BAD_ADDRESS)),
  );
}

function uprobeMulti(name: string, since: string, attachType: AttachTypeName): ProbeResult {
  const errno = tryUprobeMulti(attachType);
  return judge(name, errno === EBADF ? 0 : errno, since, neededCapabilities("kprobe"));
}

/** Loads a program and nothing more. */
function simple(name: string, since: string, program: TrialProgram): ProbeResult {
  return judge(name, attemptLoad(program).errno, since, neededCapabilities(program.type));
}

/** Loads a program and asks to attach it to what does not exist; `known` is the errno of a kernel that knows the kind. */
function link(
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
function linkCreate(program: number, what: string, fill: (attr: BpfAttr) => BpfAttr): number {
  return closeResult(fill(new BpfAttr().u32(0, program)).call("BPF_LINK_CREATE"), what);
}

function byBtfId(
  name: string,
  since: string,
  types: ReadonlyMap<string, number>,
  key: TypeKey,
  program: Omit<TrialProgram, "attachBtfId">,
): ProbeResult {
  const id = types.get(key);
  if (id !== undefined) return simple(name, since, { ...program, attachBtfId: id });
  if (types.size === 0) {
    return {
      name,
      since,
      status: "unknown",
      reason: `It takes the kernel's own BTF (${VMLINUX_BTF}), which is not there.`,
    };
  }
  return { name, since, status: "unsupported", reason: `The kernel's BTF has no ${key.replace(":", " ")}.` };
}

/** Without `bpf` in the list of security modules an LSM program loads and attaches, but is never called. */
function lsm(result: ProbeResult): ProbeResult {
  if (result.status !== "supported") return result;
  const { value, reason } = lsmNames();
  if (value === undefined) {
    return {
      ...result,
      status: "unknown",
      reason: `They load, but whether the kernel calls them is not known: ${reason}`,
    };
  }
  if (value.includes("bpf")) return result;
  return {
    ...result,
    status: "unsupported",
    reason: "They load, but are never called: bpf is not in the kernel's list of security modules.",
  };
}

function tracepoints(): ProbeResult {
  const name = "tracepoints (perf)";
  const since = "4.7";
  const loaded = simple(name, since, { type: "tracepoint" });
  if (loaded.status !== "supported") return loaded;
  const roots = [
    ...(mountsOf("tracefs").value ?? []).map((m) => m.path),
    "/sys/kernel/tracing",
    "/sys/kernel/debug/tracing",
  ];
  for (const root of new Set(roots)) {
    try {
      readFileSync(`${root}/events/sched/sched_switch/id`);
      return loaded;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EACCES" || code === "EPERM") {
        return {
          name,
          since,
          status: "refused",
          error: code,
          reason: `${root} holds the events' ids, and this user may not read it.`,
        };
      }
    }
  }
  return { name, since, status: "unknown", reason: "The ids of the events are in tracefs, which is not mounted." };
}

function perfEvents(): ProbeResult {
  const name = "perf events";
  const loaded = simple(name, "4.9", { type: "perf_event" });
  if (loaded.status !== "supported") return loaded;
  try {
    // A clock on this process only, with nothing attached to it.
    openPerfEvent({ type: "software", config: 0, pid: 0, cpu: -1, samplePeriod: 0 }, "trial perf event").close();
    return loaded;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    const refused = error.code === "EACCES" || error.code === "EPERM";
    return { ...loaded, status: refused ? "refused" : "unknown", error: error.code, reason: error.message };
  }
}

/** Kernel and user probes: the program type, and the kernel's device that makes such events. */
function pmu(name: string, device: string, since: string, option: string): ProbeResult {
  const loaded = simple(name, since, { type: "kprobe" });
  if (loaded.status !== "supported" || existsSync(`${PMU}/${device}/type`)) return loaded;
  if (!existsSync(PMU)) return { name, since, status: "unknown", reason: `${PMU} is not there: sysfs is not mounted.` };
  return { name, since, status: "unsupported", reason: `The kernel has no ${device} events (${option}).` };
}

function structOps(
  name: string,
  since: string,
  types: ReadonlyMap<string, number>,
  keys: readonly TypeKey[],
): ProbeResult {
  if (types.size === 0) {
    return {
      name,
      since,
      status: "unknown",
      reason: `It takes the kernel's own BTF (${VMLINUX_BTF}), which is not there.`,
    };
  }
  if (!keys.some((key) => types.has(key))) {
    return {
      name,
      since,
      status: "unsupported",
      reason: "The kernel's BTF does not have the structure that its programs fill.",
    };
  }
  const { errno } = attemptLoad({ type: "struct_ops", log: true });
  // 524 (ENOTSUPP): it knows the type, and the program names no structure.
  return judge(name, errno === 524 ? 0 : errno, since, neededCapabilities("struct_ops"));
}
