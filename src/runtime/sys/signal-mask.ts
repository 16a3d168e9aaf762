import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

const SIG_BLOCK = 0;
const SIG_SETMASK = 2;
const MASK_BYTES = 8;
/** SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV: a fault of this thread cannot wait, a blocked one kills the process. */
const FAULTS = [4, 5, 7, 8, 11];
const ALL_BUT_FAULTS = FAULTS.reduce((mask, signal) => mask & ~(1n << BigInt(signal - 1)), 0xffffffffffffffffn);

/**
 * Runs a system call with the signals of this thread held back; they arrive right after it (rt_sigprocmask(2)). For
 * calls that the kernel gives up on when a signal is pending, again and again while a profiler sends a thousand a second.
 */
export function withSignalsBlocked<T>(call: () => T): T {
  const mask = new BigUint64Array([ALL_BUT_FAULTS]);
  const before = new BigUint64Array(1);
  const blocked = native().syscall(nr.rt_sigprocmask, SIG_BLOCK, mask, before, MASK_BYTES) === 0;
  try {
    return call();
  } finally {
    if (blocked) native().syscall(nr.rt_sigprocmask, SIG_SETMASK, before, 0, MASK_BYTES);
  }
}

/** How often more a call is made that gives up for a signal. */
const MORE_ATTEMPTS = 4;

/**
 * Makes a call that the kernel gives up on when a signal is pending, which says nothing about what it was to do: again with
 * signals held back, and some times more, as SIGSTOP cannot be held back (Ctrl-Z and fg in a terminal, or who stops a process
 * now and then). The last result where it was given up each time.
 */
export function despiteSignals<T>(call: () => T, gaveUp: (result: T) => boolean): T {
  let result = call();
  for (let more = MORE_ATTEMPTS; more > 0 && gaveUp(result); more--) result = withSignalsBlocked(call);
  return result;
}
