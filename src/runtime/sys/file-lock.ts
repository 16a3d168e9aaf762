import type { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;
const EWOULDBLOCK = 11;

/**
 * Locks an open file or folder for this descriptor alone (flock(2)), until it is closed: also by the end of the process.
 * False when another descriptor has the lock. Throws SystemError.
 */
export function tryLock(fd: Fd): boolean {
  const result = native().syscall(nr.flock, fd.number, LOCK_EX | LOCK_NB);
  if (result === -EWOULDBLOCK) return false;
  if (result < 0) throw new SystemError({ errno: -result, syscall: "flock", doing: `lock ${fd.what}` });
  return true;
}
