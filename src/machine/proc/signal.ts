// From 1, as all architectures but alpha, mips, parisc and sparc number them (signal(7)).
const NAMES =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS";
const FIRST_REALTIME = 32;
const LAST = 64;

let names: readonly string[] | undefined;

/**
 * The name of a signal as strace writes it: `SIGKILL` for 9. Real-time signals count as the kernel counts them, from
 * 32, not as libc does, which keeps the first two: `SIGRTMIN` for 32, `SIGRT_2` for 34. 0, which kill(2) takes for "only
 * look whether it could", stays `0`; a number that is no signal gives `SIG_99`.
 */
export function signalName(n: number): string {
  names ??= NAMES.split(" ");
  if (n === 0) return "0";
  if (n === FIRST_REALTIME) return "SIGRTMIN";
  if (n > FIRST_REALTIME && n <= LAST) return `SIGRT_${n - FIRST_REALTIME}`;
  const name = names[n - 1];
  return name === undefined ? `SIG_${n}` : `SIG${name}`;
}
