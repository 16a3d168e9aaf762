import { Assembler, Helper, type HelperName, helperSince, r0 } from "../../../object/asm/index.ts";
import { ProgramFlag, type ProgramTypeName } from "../../../object/spec/index.ts";
import { judge, type ProbeResult } from "../../sys/index.ts";
import { neededCapabilities } from "../program.ts";
import { attemptLoad, type TrialProgram } from "./attempt.ts";
import { findKernelTypes } from "./kernel-btf.ts";

/** Whether programs of a type may call a helper. */
export interface HelperResult extends ProbeResult {
  /** The kind of program that was asked about, or when all were asked, those that may. */
  readonly programs: readonly string[];
}

type Kind = "raw_tracepoint" | "kprobe" | "perf_event" | "iter" | "syscall" | "sched_cls" | "xdp" | "cgroup_sock_addr";

/** The helpers worth knowing about, each with the kind of program that mostly calls it and the first kernel that has it. */
const COMMON: readonly (readonly [HelperName, Kind, string])[] = [
  ["ktime_get_ns", "raw_tracepoint", "4.1"],
  ["tail_call", "raw_tracepoint", "4.2"],
  ["perf_event_output", "raw_tracepoint", "4.4"],
  ["get_stackid", "raw_tracepoint", "4.6"],
  ["get_current_task", "raw_tracepoint", "4.8"],
  ["current_task_under_cgroup", "raw_tracepoint", "4.9"],
  ["get_stack", "raw_tracepoint", "4.18"],
  ["get_current_cgroup_id", "raw_tracepoint", "4.18"],
  ["send_signal", "raw_tracepoint", "5.3"],
  ["probe_read_user", "raw_tracepoint", "5.5"],
  ["probe_read_kernel", "raw_tracepoint", "5.5"],
  ["probe_read_user_str", "raw_tracepoint", "5.5"],
  ["get_ns_current_pid_tgid", "raw_tracepoint", "5.7"],
  ["ktime_get_boot_ns", "raw_tracepoint", "5.8"],
  ["ringbuf_output", "raw_tracepoint", "5.8"],
  ["ringbuf_reserve", "raw_tracepoint", "5.8"],
  ["d_path", "iter", "5.10"],
  ["copy_from_user", "syscall", "5.10"],
  ["get_current_task_btf", "raw_tracepoint", "5.11"],
  ["task_storage_get", "iter", "5.11"],
  ["snprintf", "raw_tracepoint", "5.13"],
  ["for_each_map_elem", "raw_tracepoint", "5.13"],
  ["get_attach_cookie", "perf_event", "5.15"],
  ["get_func_ip", "kprobe", "5.15"],
  ["timer_init", "xdp", "5.15"],
  ["loop", "raw_tracepoint", "5.17"],
  ["strncmp", "raw_tracepoint", "5.17"],
  ["kptr_xchg", "xdp", "5.19"],
  ["dynptr_from_mem", "raw_tracepoint", "5.19"],
  ["ktime_get_tai_ns", "raw_tracepoint", "6.1"],
  ["user_ringbuf_drain", "raw_tracepoint", "6.1"],
  ["override_return", "kprobe", "4.16"],
  ["redirect", "sched_cls", "4.4"],
  ["sk_lookup_tcp", "sched_cls", "4.20"],
];

const ALL_KINDS: readonly Kind[] = [
  "raw_tracepoint",
  "kprobe",
  "perf_event",
  "iter",
  "syscall",
  "sched_cls",
  "xdp",
  "cgroup_sock_addr",
];
/** Kinds asked only when all helpers are, for those that only these may call. */
const MORE_TYPES: readonly ProgramTypeName[] = [
  "socket_filter",
  "cgroup_skb",
  "cgroup_sockopt",
  "cgroup_sysctl",
  "sock_ops",
  "sk_skb",
  "sk_msg",
  "sk_reuseport",
  "sk_lookup",
  "lwt_in",
  "lwt_xmit",
  "lwt_seg6local",
  "flow_dissector",
  "lirc_mode2",
];

const EPERM = 1;
const EINVAL = 22;
/** The verifier's words for a helper that the kernel does not have, or not for this type of program. */
const NOT_THERE = /invalid func |unknown func |program of this type cannot use helper /;
const ITERATOR = "function:bpf_iter_task";

/**
 * Which helpers the kernel offers: a program of the kind that calls the helper is put before the verifier, which
 * judges the call before its arguments. By default some thirty; with `all` every helper there is, for every kind of
 * program (some thousands of loads, a second or so).
 */
export function probeHelpers(options: { readonly all?: boolean } = {}): HelperResult[] {
  const programs = trialPrograms(options.all === true);
  if (options.all !== true) {
    return COMMON.map(([name, kind, since]) => ({ ...ask(name, programs.get(kind), since), programs: [kind] }));
  }
  const since = new Map<string, string>(COMMON.map(([name, , version]) => [name, version]));
  return (Object.keys(Helper) as HelperName[]).map((name) => {
    const answers = [...programs].map(([kind, program]) => ({
      kind,
      result: ask(name, program, since.get(name) ?? helperSince(name)),
    }));
    const able = answers.filter(({ result }) => result.status === "supported");
    const best = able[0] ?? answers.find(({ result }) => result.status === "unsupported") ?? answers[0];
    return { ...(best as { result: ProbeResult }).result, programs: able.map(({ kind }) => kind) };
  });
}

function trialPrograms(all: boolean): Map<string, TrialProgram | undefined> {
  const iter = findKernelTypes([ITERATOR]).ids.get(ITERATOR);
  const programs = new Map<string, TrialProgram | undefined>();
  for (const kind of ALL_KINDS) {
    if (kind === "iter") {
      const attach = { expectedAttachType: "trace_iter", attachBtfId: iter ?? 0 } as const;
      programs.set(kind, iter === undefined ? undefined : { type: "tracing", ...attach });
    } else if (kind === "syscall") programs.set(kind, { type: kind, flags: ProgramFlag.sleepable });
    else if (kind === "cgroup_sock_addr")
      programs.set(kind, { type: kind, expectedAttachType: "cgroup_inet4_connect" });
    else programs.set(kind, { type: kind });
  }
  if (all) {
    for (const type of MORE_TYPES) {
      const attach = { cgroup_sockopt: "cgroup_getsockopt", sk_lookup: "sk_lookup" }[type as string] as
        | "sk_lookup"
        | undefined;
      programs.set(type, { type, ...(attach !== undefined && { expectedAttachType: attach }) });
    }
  }
  return programs;
}

function ask(name: HelperName, program: TrialProgram | undefined, since?: string): ProbeResult {
  if (program === undefined) {
    const base = { name, ...(since !== undefined && { since }) };
    return { ...base, status: "unknown", reason: "It takes an iterator program to ask, which needs the kernel's BTF." };
  }
  const instructions = new Assembler().call(name).mov(r0, 0).exit().instructions();
  const { errno, log } = attemptLoad({ ...program, instructions, log: true });
  if (errno === 0 || errno === EPERM) return judge(name, errno, since, neededCapabilities(program.type));
  if (log === "") {
    // It did not come as far as the call: the kernel does not take the program at all.
    const base = { name, ...(since !== undefined && { since }) };
    return {
      ...base,
      status: "unknown",
      reason: `It takes a program of type ${program.type} to ask, which does not load.`,
    };
  }
  // Wrong arguments are what a helper that is there complains about.
  return judge(name, NOT_THERE.test(log) ? EINVAL : 0, since);
}
