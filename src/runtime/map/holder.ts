import type { Fd } from "../sys/index.ts";

/**
 * Something that has a descriptor: a map, a program, an `Fd`, or the number of one (of a socket, a cgroup's directory, a
 * pidfd). It is the caller's and stays open.
 */
export type Holder = number | Fd | { readonly fd: Fd };

export function descriptorOf(holder: Holder): number {
  if (typeof holder === "number") {
    if (Number.isInteger(holder) && holder >= 0 && holder <= 0x7fffffff) return holder;
    throw new RangeError(`${holder} is no file descriptor.`);
  }
  return "number" in holder ? holder.number : holder.fd.number;
}
