import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

const RLIMIT_MEMLOCK = 8;
let raised = false;

/**
 * Lifts RLIMIT_MEMLOCK for this process, once. Before Linux 5.11 eBPF memory counts against it and the kernel answers
 * EPERM when it is used up; later kernels account it to the memory cgroup. True when the limit was changed now, so
 * that the caller tries again.
 */
export function raiseMemlock(): boolean {
  if (raised) return false;
  raised = true;
  const limit = new BigUint64Array([0xffffffffffffffffn, 0xffffffffffffffffn]);
  return native().syscall(nr.prlimit64, 0, RLIMIT_MEMLOCK, limit, 0) === 0;
}
