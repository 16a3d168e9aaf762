import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

/**
 * A descriptor of a process (pidfd_open(2), Linux 5.3), which stays that process's even when its number is given to another:
 * what task storage is asked by. The caller closes it. Throws SystemError ESRCH when there is no such process.
 */
export function openPidFd(pid: number): Fd {
  const result = native().syscall(nr.pidfd_open, pid, 0);
  if (result < 0) throw new SystemError({ errno: -result, syscall: "pidfd_open", doing: `open process ${pid}` });
  return new Fd(result, `process ${pid}`);
}
