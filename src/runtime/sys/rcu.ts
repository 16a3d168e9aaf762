import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

const MEMBARRIER_CMD_GLOBAL = 1;

/**
 * Returns when every program that runs now has ended (membarrier(2), Linux 4.3: it waits for an RCU grace period, some
 * milliseconds). Where the kernel refuses it nothing is waited for; sleepable programs are not waited for either.
 */
export function waitForPrograms(): void {
  native().syscall(nr.membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}
