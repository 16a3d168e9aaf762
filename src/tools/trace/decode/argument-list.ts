import { IOCTL, KEYCTL, PTRACE } from "./constants/index.ts";
import type { DecodedCall } from "./model.ts";
import { fcntlTakesArgument, openFlagsWantMode } from "./types/file.ts";
import { futexArguments, prctlArity } from "./types/process.ts";
import { int, low } from "./words.ts";

const MREMAP_FIXED = 2;
const LAST_BUT_ONE_LEFT_OUT = [0, 1, 2, 3, 5] as const;
const CLONE_SETTLS = 0x80000;
const CLONE_PARENT_SETTID = 0x100000;
const CLONE_CHILD_IDS = 0x200000 | 0x1000000;
const CLONE_PIDFD = 0x1000;
const S_IFMT = 0xf000;
const S_IFCHR = 0x2000;
const S_IFBLK = 0x6000;

/** What the flags of clone(2) ask for; what stands in the other registers means nothing. */
function cloneArity(call: DecodedCall): number {
  const flags = low(call, 0);
  if ((flags & CLONE_SETTLS) !== 0) return 5;
  if ((flags & CLONE_CHILD_IDS) !== 0) return 4;
  return (flags & (CLONE_PARENT_SETTID | CLONE_PIDFD)) !== 0 ? 3 : 2;
}

/** A device number belongs to a device only (mknod(2)). */
const nodeArity = (mode: number) => (call: DecodedCall) => {
  const type = low(call, mode) & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK ? mode + 2 : mode + 1;
};

/** Requests of ioctl(2) that say it all. */
const WITHOUT_ARGUMENT = new Set(["FIOCLEX", "FIONCLEX", "TIOCEXCL", "TIOCNXCL", "TIOCNOTTY"]);

const KEYCTL_ARITY: Readonly<Record<string, number>> = {
  __proto__: null as never,
  KEYCTL_GET_KEYRING_ID: 3,
  KEYCTL_JOIN_SESSION_KEYRING: 2,
  KEYCTL_UPDATE: 4,
  KEYCTL_REVOKE: 2,
  KEYCTL_CHOWN: 4,
  KEYCTL_SETPERM: 3,
  KEYCTL_DESCRIBE: 4,
  KEYCTL_CLEAR: 2,
  KEYCTL_LINK: 3,
  KEYCTL_UNLINK: 3,
  KEYCTL_READ: 4,
  KEYCTL_NEGATE: 4,
  KEYCTL_SET_REQKEY_KEYRING: 2,
  KEYCTL_SET_TIMEOUT: 3,
  KEYCTL_ASSUME_AUTHORITY: 2,
  KEYCTL_GET_SECURITY: 4,
  KEYCTL_SESSION_TO_PARENT: 1,
  KEYCTL_INVALIDATE: 2,
  KEYCTL_GET_PERSISTENT: 3,
};

const PTRACE_ARITY: Readonly<Record<string, number>> = {
  __proto__: null as never,
  PTRACE_TRACEME: 1,
  PTRACE_ATTACH: 2,
  PTRACE_KILL: 2,
  PTRACE_INTERRUPT: 2,
  PTRACE_LISTEN: 2,
};

/** Calls whose arguments depend on one of them: how many there are, or which ones. */
const DEPENDENT: Readonly<Record<string, (call: DecodedCall) => number | readonly number[]>> = {
  __proto__: null as never,
  open: (call) => (openFlagsWantMode(low(call, 1)) ? 3 : 2),
  openat: (call) => (openFlagsWantMode(low(call, 2)) ? 4 : 3),
  mq_open: (call) => (openFlagsWantMode(low(call, 1)) ? 4 : 2),
  mknod: nodeArity(1),
  mknodat: nodeArity(2),
  fcntl: (call) => (fcntlTakesArgument(int(call, 1)) ? 3 : 2),
  fcntl64: (call) => (fcntlTakesArgument(int(call, 1)) ? 3 : 2),
  mremap: (call) => ((low(call, 3) & MREMAP_FIXED) !== 0 ? 5 : 4),
  ioctl: (call) => (WITHOUT_ARGUMENT.has(IOCTL.name(low(call, 1)) ?? "") ? 2 : 3),
  // The offset's upper half is used where registers have 32 bits.
  preadv2: (call) => (call.compat ? 6 : LAST_BUT_ONE_LEFT_OUT),
  pwritev2: (call) => (call.compat ? 6 : LAST_BUT_ONE_LEFT_OUT),
  clone: cloneArity,
  futex: futexArguments,
  futex_time64: futexArguments,
  prctl: prctlArity,
  ptrace: (call) => PTRACE_ARITY[PTRACE.text(int(call, 0))] ?? 4,
  keyctl: (call) => KEYCTL_ARITY[KEYCTL.text(int(call, 0))] ?? 5,
  membarrier: (call) => (low(call, 1) === 0 ? 2 : 3),
};

/** Which of the arguments that a call may have this one has; all when undefined. */
export function argumentList(call: DecodedCall): number | readonly number[] | undefined {
  return DEPENDENT[call.name]?.(call);
}
