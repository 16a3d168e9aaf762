import { MOST_TURNS } from "../cpu/call.ts";
import type { Cpu } from "../cpu/cpu.ts";
import type { Helper } from "../cpu/image.ts";
import { E2BIG, EINVAL } from "../map/errno.ts";

/** struct bpf_iter_num: the number that is next less one, and the end. */
const ITERATOR_BYTES = 8;

const nothing: Helper = () => {};
const same: Helper = (cpu) => cpu.resultWide(cpu.u64(1));

function noIterator(cpu: Cpu): never {
  return cpu.fault("BAD_ARGUMENT", "Argument 1 is no iterator that bpf_iter_num_new has begun and nobody destroyed.");
}

/**
 * Functions of the kernel that the machine has, by name. Those that only mark a section (RCU, preemption) or hold a reference
 * do nothing here.
 */
export const kfuncs: Readonly<Record<string, Helper>> = {
  bpf_iter_num_new: (cpu) => {
    const bytes = cpu.output(1, ITERATOR_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset, ITERATOR_BYTES);
    const start = cpu.i32(2);
    const end = cpu.i32(3);
    cpu.state.iterators.add(cpu.u64(1));
    const error = start > end ? EINVAL : end - start > MOST_TURNS ? E2BIG : 0;
    view.setInt32(0, error === 0 ? start - 1 : 0, cpu.little);
    view.setInt32(4, error === 0 ? end : 0, cpu.little);
    cpu.result(error);
  },
  bpf_iter_num_next: (cpu) => {
    const bytes = cpu.inOut(1, ITERATOR_BYTES);
    if (!cpu.state.iterators.has(cpu.u64(1))) noIterator(cpu);
    const view = new DataView(bytes.buffer, bytes.byteOffset, ITERATOR_BYTES);
    const now = view.getInt32(0, cpu.little) + 1;
    if (now >= view.getInt32(4, cpu.little)) {
      bytes.fill(0);
      return cpu.resultWide(0n);
    }
    view.setInt32(0, now, cpu.little);
    return cpu.resultWide(cpu.u64(1));
  },
  bpf_iter_num_destroy: (cpu) => {
    cpu.inOut(1, ITERATOR_BYTES).fill(0);
    if (!cpu.state.iterators.delete(cpu.u64(1))) noIterator(cpu);
  },
  bpf_rdonly_cast: same,
  bpf_cast_to_kern_ctx: same,
  bpf_task_acquire: same,
  bpf_task_release: nothing,
  bpf_cgroup_acquire: same,
  bpf_cgroup_release: nothing,
  bpf_rcu_read_lock: nothing,
  bpf_rcu_read_unlock: nothing,
  bpf_preempt_disable: nothing,
  bpf_preempt_enable: nothing,
};
