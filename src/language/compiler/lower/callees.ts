import { Helper, type HelperName } from "../../../object/asm/index.ts";
import type { Callee } from "../ssa/ir.ts";

/** What a helper of the kernel does with memory, and whether it gives the same throughout one run. */
type Traits = Pick<Callee, "pure" | "reads" | "writes" | "returnsNothing" | "takes" | "givesBack">;

function helper(name: HelperName, traits: Traits = {}): Callee {
  return { kind: "helper", name: `bpf_${name}`, id: Helper[name], ...traits };
}

function kfunc(name: string, traits: Traits = {}): Callee {
  return { kind: "kfunc", name, ...traits };
}

const PURE: Traits = { pure: true };

/** Writes up to a NUL and leaves what is behind it: that has to be there, as if it were read. */
const PART: Traits = { reads: [0], writes: [0] };

/** The functions of the kernel that compiled programs call, each made once. */
export const CALLEE = {
  mapLookup: helper("map_lookup_elem", { reads: [1] }),
  mapUpdate: helper("map_update_elem", { reads: [1, 2] }),
  mapDelete: helper("map_delete_elem", { reads: [1] }),
  forEachElement: helper("for_each_map_elem"),
  loop: helper("loop"),
  reserve: helper("ringbuf_reserve", { takes: true }),
  output: helper("ringbuf_output", { reads: [1] }),
  submit: helper("ringbuf_submit", { returnsNothing: true, givesBack: true }),
  discard: helper("ringbuf_discard", { returnsNothing: true, givesBack: true }),
  stackId: helper("get_stackid"),
  tailCall: helper("tail_call", { returnsNothing: true }),
  taskUnder: helper("current_task_under_cgroup"),
  storageGet: helper("task_storage_get"),
  storageDelete: helper("task_storage_delete"),
  pidTgid: helper("get_current_pid_tgid", PURE),
  nsPidTgid: helper("get_ns_current_pid_tgid", { writes: [2] }),
  uidGid: helper("get_current_uid_gid", PURE),
  comm: helper("get_current_comm", { writes: [0] }),
  commToNul: helper("get_current_comm", PART),
  ktime: helper("ktime_get_ns"),
  ktimeBoot: helper("ktime_get_boot_ns"),
  cpu: helper("get_smp_processor_id", PURE),
  numaNode: helper("get_numa_node_id", PURE),
  /** Does nothing that anybody sees: behind a call the verifier looks whether it has been there. */
  pause: helper("get_smp_processor_id"),
  cgroupId: helper("get_current_cgroup_id", PURE),
  currentTask: helper("get_current_task", PURE),
  currentTaskBtf: helper("get_current_task_btf", PURE),
  taskRegisters: helper("task_pt_regs"),
  random: helper("get_prandom_u32"),
  signal: helper("send_signal"),
  signalThread: helper("send_signal_thread"),
  jiffies: helper("jiffies64"),
  funcIp: helper("get_func_ip", PURE),
  cookie: helper("get_attach_cookie", PURE),
  readAny: helper("probe_read", { writes: [0] }),
  readAnyText: helper("probe_read_str", PART),
  readKernel: helper("probe_read_kernel", { writes: [0] }),
  readKernelText: helper("probe_read_kernel_str", PART),
  readUser: helper("probe_read_user", { writes: [0] }),
  readUserText: helper("probe_read_user_str", PART),
  // As many bytes as is known when they run: of what is there before, some may stay.
  readSomeKernel: helper("probe_read_kernel"),
  readSomeUser: helper("probe_read_user"),
  readSomeAny: helper("probe_read"),
  rdonlyCast: kfunc("bpf_rdonly_cast", PURE),
  iterNew: kfunc("bpf_iter_num_new", { takes: true }),
  iterNext: kfunc("bpf_iter_num_next"),
  iterDestroy: kfunc("bpf_iter_num_destroy", { returnsNothing: true, givesBack: true }),
} as const;
