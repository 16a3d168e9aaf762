import { existsSync, readFileSync } from "node:fs";
import { AttachType } from "../../../object/spec/index.ts";
import { BpfAttr, judge, openPerfEvent, type ProbeResult, SystemError } from "../../sys/index.ts";
import { neededCapabilities } from "../program.ts";
import { attachType, link, linkCreate, ofKernel, simple, type TypeKey, withoutBtf } from "./attach-types.ts";
import { attemptLoad, closeResult } from "./attempt.ts";
import { lsmNames, mountsOf } from "./environment.ts";
import { findKernelTypes } from "./kernel-btf.ts";

const EBADF = 9;
const ENOENT = 2;
const EAFNOSUPPORT = 97;
const BAD_FD = 0xffff_ffff;
const PMU = "/sys/bus/event_source/devices";

/** Functions and types of the kernel that trial programs name; each of these exists wherever its kind does. */
const RAW_TP: TypeKey = "typedef:btf_trace_sys_enter";
const FUNCTION: TypeKey = "function:vfs_open";
const LSM_HOOK: TypeKey = "function:bpf_lsm_file_open";
const TCP_OPS: readonly TypeKey[] = ["struct:bpf_struct_ops_tcp_congestion_ops", "struct:tcp_congestion_ops"];
const SCHED_OPS: TypeKey = "struct:bpf_struct_ops_sched_ext_ops";

/**
 * Which kinds of attachment work here. Programs are loaded and links are asked for with targets that do not exist, so
 * that the kernel's errno tells whether it knows the kind; nothing is ever attached.
 */
export function probeAttachKinds(): ProbeResult[] {
  return [
    link("raw tracepoints", "4.17", { type: "raw_tracepoint" }, ENOENT, (fd) =>
      closeResult(
        new BpfAttr().cString(0, "skep_no_such_tracepoint").u32(8, fd).call("BPF_RAW_TRACEPOINT_OPEN"),
        "link",
      ),
    ),
    ofKernel("tp_btf", "5.5", RAW_TP, { type: "tracing", expectedAttachType: "trace_raw_tp" }),
    tracepoints(),
    perfEvents(),
    pmu("kprobes", "kprobe", "4.17", "CONFIG_KPROBE_EVENTS"),
    pmu("uprobes", "uprobe", "4.17", "CONFIG_UPROBE_EVENTS"),
    attachType("kprobe.multi", "trace_kprobe_multi"),
    attachType("kprobe.session", "trace_kprobe_session"),
    attachType("uprobe.multi", "trace_uprobe_multi"),
    attachType("uprobe.session", "trace_uprobe_session"),
    ofKernel("fentry", "5.5", FUNCTION, { type: "tracing", expectedAttachType: "trace_fentry" }),
    ofKernel("fexit", "5.5", FUNCTION, { type: "tracing", expectedAttachType: "trace_fexit" }),
    attachType("fsession", "trace_fsession"),
    attachType("fentry.multi", "trace_fentry_multi"),
    attachType("fmod_ret", "modify_return"),
    lsm(ofKernel("lsm", "5.7", LSM_HOOK, { type: "lsm", expectedAttachType: "lsm_mac" })),
    lsm(attachType("lsm_cgroup", "lsm_cgroup")),
    attachType("iterators", "trace_iter"),
    link("cgroup links", "5.7", { type: "cgroup_sock", expectedAttachType: "cgroup_inet_sock_create" }, EBADF, (fd) =>
      linkCreate(fd, (attr) => attr.u32(4, BAD_FD).u32(8, AttachType.cgroup_inet_sock_create)),
    ),
    // No wrong interface tells apart whether XDP links are known (both answers are EINVAL): loading has to do.
    simple("xdp", "4.8", { type: "xdp", expectedAttachType: "xdp" }),
    attachType("tcx", "tcx_ingress"),
    attachType("netkit", "netkit_primary"),
    link("netfilter", "6.4", { type: "netfilter", expectedAttachType: "netfilter" }, EAFNOSUPPORT, (fd) =>
      linkCreate(fd, (attr) => attr.u32(8, AttachType.netfilter).u32(16, 1)),
    ),
    link("sk_lookup", "5.9", { type: "sk_lookup", expectedAttachType: "sk_lookup" }, EBADF, (fd) =>
      linkCreate(fd, (attr) => attr.u32(4, BAD_FD).u32(8, AttachType.sk_lookup)),
    ),
    structOps("struct_ops (TCP congestion control)", "5.6", TCP_OPS),
    structOps("struct_ops (sched_ext)", "6.12", [SCHED_OPS]),
  ];
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

function structOps(name: string, since: string, keys: readonly TypeKey[]): ProbeResult {
  const { ids, isReadable } = findKernelTypes(keys);
  if (!isReadable) return withoutBtf(name, since);
  if (ids.size === 0) {
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
