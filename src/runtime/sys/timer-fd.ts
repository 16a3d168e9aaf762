import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const CLOCK_MONOTONIC = 1;
const TFD_NONBLOCK = 0x800;
const TFD_CLOEXEC = 0x80000;

/** A descriptor that becomes readable at intervals (timerfd_create(2)); not yet started. The caller closes it. */
export function openTimer(what: string): Fd {
  const result = native().syscall(nr.timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (result < 0) throw new SystemError({ errno: -result, syscall: "timerfd_create", doing: `make the ${what}` });
  return new Fd(result, what);
}

/** Lets it go off every so many milliseconds from now on, and no more with 0. What it told before is forgotten. */
export function setTimer(timer: Fd, everyMs: number): void {
  // struct itimerspec: interval, then the first time; seconds and nanoseconds each.
  const seconds = BigInt(Math.floor(everyMs / 1000));
  const rest = BigInt(Math.round((everyMs % 1000) * 1e6));
  const spec = new BigInt64Array([seconds, rest, seconds, rest]);
  const result = native().syscall(nr.timerfd_settime, timer.number, 0, spec, 0);
  if (result < 0) throw new SystemError({ errno: -result, syscall: "timerfd_settime", doing: `set the ${timer.what}` });
}
