import type { Helper } from "../cpu/image.ts";
import { EINVAL } from "../map/errno.ts";
import { joined } from "../memory/integers.ts";

const NO_SIGNAL = 64;

const sendSignal =
  (thread: boolean): Helper =>
  (cpu) => {
    const signal = cpu.i32(1);
    const { world } = cpu.state;
    if (signal < 0 || signal > NO_SIGNAL) return cpu.result(EINVAL);
    world.signals.push({ signal, thread, pid: world.pid, tid: world.tid });
    return cpu.result(0);
  };

/** Time, chance, and who the program runs as. */
export const taskHelpers: Readonly<Record<string, Helper>> = {
  ktime_get_ns: (cpu) => cpu.resultWide(cpu.state.world._time()),
  ktime_get_coarse_ns: (cpu) => cpu.resultWide(cpu.state.world._time()),
  ktime_get_boot_ns: (cpu) => cpu.resultWide(cpu.state.world._time() + cpu.state.world.slept),
  ktime_get_tai_ns: (cpu) => cpu.resultWide(cpu.state.world._time() + cpu.state.world.taiOffset),
  jiffies64: (cpu) => cpu.resultWide(cpu.state.world._jiffies),
  get_prandom_u32: (cpu) => cpu.result(cpu.state.world.random() >>> 0),
  get_smp_processor_id: (cpu) => cpu.result(cpu.state.world.cpu),
  get_numa_node_id: (cpu) => cpu.result(cpu.state.world.numaNode),
  get_current_pid_tgid: (cpu) => cpu.resultWide(joined(cpu.state.world.pid, cpu.state.world.tid)),
  get_current_uid_gid: (cpu) => cpu.resultWide(joined(cpu.state.world.gid, cpu.state.world.uid)),
  get_current_cgroup_id: (cpu) => cpu.resultWide(cpu.state.world.cgroupId),
  get_current_ancestor_cgroup_id: (cpu) => {
    const { ancestorCgroupIds, cgroupId } = cpu.state.world;
    const level = cpu.i32(1);
    cpu.resultWide([...ancestorCgroupIds, cgroupId][level] ?? 0n);
  },
  get_current_task: (cpu) => cpu.resultWide(cpu.state.world.task),
  get_current_task_btf: (cpu) => cpu.resultWide(cpu.state.world.task),
  task_pt_regs: (cpu) => cpu.resultWide(cpu.state.world.registers),
  get_current_comm: (cpu) => {
    const size = cpu.u32(2);
    const to = cpu.output(1, size);
    if (size === 0) return cpu.result(EINVAL);
    to.fill(0);
    to.set(cpu.state.world._comm.subarray(0, Math.min(size - 1, 15)));
    return cpu.result(0);
  },
  get_ns_current_pid_tgid: (cpu) => {
    const size = cpu.u32(4);
    const to = cpu.output(3, size);
    to.fill(0);
    if (size !== 8) return cpu.result(EINVAL);
    const { world } = cpu.state;
    const { namespaced } = world;
    if (namespaced !== undefined && (namespaced.dev !== cpu.u64(1) || namespaced.ino !== cpu.u64(2)))
      return cpu.result(EINVAL);
    const view = new DataView(to.buffer, to.byteOffset);
    view.setUint32(0, namespaced?.tid ?? world.tid, cpu.little);
    view.setUint32(4, namespaced?.pid ?? world.pid, cpu.little);
    return cpu.result(0);
  },
  send_signal: sendSignal(false),
  send_signal_thread: sendSignal(true),
  get_func_ip: (cpu) => cpu.resultWide(cpu.state.functionAddress),
  get_attach_cookie: (cpu) => cpu.resultWide(cpu.state.cookie),
};
