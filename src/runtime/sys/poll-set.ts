import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;

/**
 * One descriptor that is readable when one of many is (epoll(7)): the event loop then has one thing to wait for. The caller
 * closes it; those in it stay their owners'. Throws SystemError.
 */
export function pollSet(members: readonly Fd[], what: string): Fd {
  const result = native().syscall(nr.epoll_create1, EPOLL_CLOEXEC);
  if (result < 0) throw new SystemError({ errno: -result, syscall: "epoll_create1", doing: `wait for the ${what}` });
  const set = new Fd(result, `set of descriptors of the ${what}`);
  // struct epoll_event is packed on x86-64, and has padding behind its events elsewhere.
  const event = new Uint8Array(16);
  event[0] = EPOLLIN;
  for (const member of members) {
    const added = native().syscall(nr.epoll_ctl, set.number, EPOLL_CTL_ADD, member.number, event);
    if (added >= 0) continue;
    set.close();
    throw new SystemError({ errno: -added, syscall: "epoll_ctl", doing: `wait for the ${member.what}` });
  }
  return set;
}

/** Takes a member out of a set; one that is closed is out of it already. */
export function leavePollSet(set: Fd, member: Fd): void {
  if (!set.closed && !member.closed) native().syscall(nr.epoll_ctl, set.number, EPOLL_CTL_DEL, member.number, 0);
}
