import { signalName } from "../../../../machine/proc/index.ts";
import {
  CLOCK,
  CLONE,
  EPOLL,
  EPOLL_OP,
  FUTEX,
  IDTYPE,
  PERSONALITY,
  POLL,
  PRCTL,
  PTRACE,
  SCHED,
} from "../constants/index.ts";
import { quote, textLength, textOf } from "../escape.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { captured, hex, int, isNull, low, pointer, unsigned, viewOf } from "../words.ts";
import { constant } from "./basic.ts";
import { fdJson, fdText } from "./file.ts";

const CLONE_SIGNAL = 0xff;

/** Flags of clone(2), whose low byte is the signal sent at the end. */
function cloneFlags(value: number): string {
  const signal = value & CLONE_SIGNAL;
  const flags = value & ~CLONE_SIGNAL;
  if (signal === 0) return CLONE.text(flags);
  return flags === 0 ? signalName(signal) : `${CLONE.text(flags)}|${signalName(signal)}`;
}

/** `struct clone_args` (clone3(2)): flags 0, exit_signal 32, stack 40, stack_size 48. */
function cloneArgs(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 56);
  if (view === undefined) return pointer(call, arg);
  const signal = view.getUint32(32, true);
  const flags = view.getUint32(0, true);
  const time = view.getUint32(4, true) === 0 ? "" : `|0x${view.getUint32(4, true).toString(16)}00000000`;
  return `{flags=${CLONE.text(flags)}${time}, exit_signal=${signal === 0 ? 0 : signalName(signal)}, stack=0x${view.getBigUint64(40, true).toString(16)}, stack_size=0x${view.getBigUint64(48, true).toString(16)}}`;
}

const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;

export function futexCommand(value: number): string {
  const base = FUTEX.text(value & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME));
  const name = (value & FUTEX_PRIVATE) === 0 ? base : `${base}_PRIVATE`;
  return (value & FUTEX_CLOCK_REALTIME) === 0 ? name : `${name}|FUTEX_CLOCK_REALTIME`;
}

const TIMED = new Set(["FUTEX_WAIT", "FUTEX_WAIT_BITSET", "FUTEX_LOCK_PI", "FUTEX_LOCK_PI2", "FUTEX_WAIT_REQUEUE_PI"]);

/** The fourth argument of futex(2): a time for commands that wait, else a number. */
function futexValue(call: DecodedCall, arg: number): string {
  if (!TIMED.has(FUTEX.text(low(call, 1) & 0x7f))) return String(low(call, arg));
  const view = viewOf(captured(call, arg), 16);
  if (view === undefined) return pointer(call, arg);
  return `{tv_sec=${view.getBigInt64(0, true)}, tv_nsec=${view.getBigInt64(8, true)}}`;
}

/** Which arguments a futex command has (futex(2)): how many, or their numbers. */
export function futexArguments(call: DecodedCall): number | readonly number[] {
  switch (FUTEX.text(low(call, 1) & 0x7f)) {
    case "FUTEX_WAKE":
      return 3;
    case "FUTEX_UNLOCK_PI":
    case "FUTEX_TRYLOCK_PI":
      return 2;
    case "FUTEX_WAIT":
    case "FUTEX_LOCK_PI":
    case "FUTEX_LOCK_PI2":
      return 4;
    case "FUTEX_WAIT_BITSET":
      return WITHOUT_SECOND_ADDRESS;
    case "FUTEX_WAKE_BITSET":
      return WITHOUT_TIME_AND_ADDRESS;
    case "FUTEX_REQUEUE":
    case "FUTEX_WAIT_REQUEUE_PI":
      return 5;
    default:
      return 6;
  }
}

const WITHOUT_SECOND_ADDRESS = [0, 1, 2, 3, 5] as const;
const WITHOUT_TIME_AND_ADDRESS = [0, 1, 2, 5] as const;
const MATCH_ANY = 0xffffffff;

/** The last argument of futex(2): a set of bits for the commands that have one, else a number to compare with. */
function futexLast(call: DecodedCall, arg: number): string {
  const value = low(call, arg);
  if (!FUTEX.text(low(call, 1) & 0x7f).endsWith("_BITSET")) return String(value);
  return value === MATCH_ANY ? "FUTEX_BITSET_MATCH_ANY" : `0x${value.toString(16)}`;
}

/** `struct pollfd` (poll(2)): fd 0, events 4, revents 6. */
function pollText(call: DecodedCall, arg: number, countArg: number): string {
  const got = captured(call, arg);
  const view = viewOf(got, 8);
  const count = unsigned(call, countArg);
  if (got === undefined || view === undefined) return count === 0 && !isNull(call, arg) ? "[]" : pointer(call, arg);
  const shown = Math.min(count, Math.floor(got.bytes.length / 8));
  const parts: string[] = [];
  for (let i = 0; i < shown; i++) {
    parts.push(
      `{fd=${fdText(call, view.getInt32(8 * i, true))}, events=${POLL.text(view.getUint16(8 * i + 4, true))}}`,
    );
  }
  return `[${parts.join(", ")}${shown < count ? ", ..." : ""}]`;
}

/** `struct epoll_event`: events, then 8 bytes of the caller's; packed on x86-64 only. */
const EPOLL_EVENT = process.arch === "x64" ? 12 : 16;

function epollEvent(view: DataView, at: number): string {
  return `{events=${EPOLL.text(view.getUint32(at, true))}, data=0x${view.getBigUint64(at + EPOLL_EVENT - 8, true).toString(16)}}`;
}

function epollEvents(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  const view = viewOf(got, EPOLL_EVENT);
  if (got === undefined || view === undefined) return call.ret === 0 && !call.unfinished ? "[]" : pointer(call, arg);
  const shown = Math.min(call.ret, Math.floor(got.bytes.length / EPOLL_EVENT));
  const parts = Array.from({ length: shown }, (_, i) => epollEvent(view, i * EPOLL_EVENT));
  return `[${parts.join(", ")}${shown < call.ret ? ", ..." : ""}]`;
}

/** An fd_set (select(2)): the descriptors below the first argument whose bit is set. */
function fdSet(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  if (got === undefined) return pointer(call, arg);
  const fds: string[] = [];
  const count = Math.min(int(call, 0), got.bytes.length * 8);
  for (let fd = 0; fd < count; fd++) {
    if (((got.bytes[fd >> 3] as number) & (1 << (fd & 7))) !== 0) fds.push(fdText(call, fd));
  }
  return `[${fds.join(" ")}]`;
}

/** Group ids (setgroups(2)). */
function groupsText(call: DecodedCall, arg: number, count: number): string {
  const got = captured(call, arg);
  const view = viewOf(got, 4);
  if (got === undefined || view === undefined) return count === 0 && !isNull(call, arg) ? "[]" : pointer(call, arg);
  const shown = Math.min(count, Math.floor(got.bytes.length / 4));
  const ids = Array.from({ length: shown }, (_, i) => view.getUint32(4 * i, true));
  return `[${ids.join(", ")}${shown < count ? ", ..." : ""}]`;
}

/** A set of CPUs (sched_setaffinity(2)). */
function cpusText(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  if (got === undefined) return pointer(call, arg);
  const cpus: number[] = [];
  for (let i = 0; i < got.bytes.length * 8; i++) {
    if (((got.bytes[i >> 3] as number) & (1 << (i & 7))) !== 0) cpus.push(i);
  }
  return `[${cpus.join(", ")}${got.length > got.bytes.length ? ", ..." : ""}]`;
}

/** `struct utsname` (uname(2)): three fields of 65 bytes are copied. */
function unameText(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  if (got === undefined || got.bytes.length < 195) return pointer(call, arg);
  const field = (i: number) => {
    const bytes = got.bytes.subarray(65 * i, 65 * (i + 1));
    return quote(bytes, textLength(bytes.subarray(0, bytes.indexOf(0) + 1)));
  };
  return `{sysname=${field(0)}, nodename=${field(1)}, release=${field(2)}, ...}`;
}

const NUMERIC_PRCTL = new Set([
  "PR_SET_PDEATHSIG",
  "PR_CAPBSET_READ",
  "PR_CAPBSET_DROP",
  "PR_SET_DUMPABLE",
  "PR_SET_KEEPCAPS",
  "PR_SET_NO_NEW_PRIVS",
  "PR_SET_CHILD_SUBREAPER",
  "PR_SET_TIMERSLACK",
  "PR_SET_THP_DISABLE",
  "PR_SET_SECCOMP",
]);

function prctlValue(call: DecodedCall, arg: number): string {
  const option = PRCTL.name(int(call, 0)) ?? "";
  if (option === "PR_SET_NAME") {
    const name = captured(call, arg);
    return name === undefined ? pointer(call, arg) : quote(name.bytes, textLength(name.bytes));
  }
  if (option === "PR_SET_PDEATHSIG" && int(call, arg) > 0) return signalName(int(call, arg));
  return NUMERIC_PRCTL.has(option) ? String(int(call, arg)) : isNull(call, arg) ? "0" : hex(call, arg);
}

function prctlJson(call: DecodedCall, arg: number): unknown {
  const name = PRCTL.name(int(call, 0)) === "PR_SET_NAME" ? captured(call, arg) : undefined;
  return name === undefined ? prctlValue(call, arg) : textOf(name.bytes, textLength(name.bytes));
}

/** Options that the kernel takes with nothing but zeros behind their own arguments: shown, because else they are refused. */
const STRICT_PRCTL =
  /^PR_(SET_NO_NEW_PRIVS|GET_NO_NEW_PRIVS|SET_THP_DISABLE|GET_THP_DISABLE|MCE_KILL|MCE_KILL_GET|CAP_AMBIENT|SET_MDWE|GET_MDWE|SET_IO_FLUSHER|GET_IO_FLUSHER|SET_MEMORY_MERGE|GET_MEMORY_MERGE|SET_VMA|SET_MM|SCHED_CORE|GET_SPECULATION_CTRL|SET_SPECULATION_CTRL)$/;

/** How many arguments prctl(2) takes for an option; all for one that is not known. */
export function prctlArity(call: DecodedCall): number {
  const option = PRCTL.name(int(call, 0));
  if (option === undefined || STRICT_PRCTL.test(option)) return 5;
  if (option === "PR_SET_SECCOMP") return int(call, 1) === 2 ? 3 : 2;
  if (/^PR_GET_(?!PDEATHSIG|NAME|CHILD_SUBREAPER|TSC|TID_ADDRESS|UNALIGN|AUXV)/.test(option)) return 1;
  return 2;
}

export const PROCESS: Readonly<Record<string, (parameter: number) => ArgumentType>> = {
  __proto__: null as never,
  cloneflags: () => ({ text: (call, arg) => cloneFlags(low(call, arg)) }),
  cloneargs: () => ({ captures: constant(88, "enter"), text: cloneArgs }),
  futexop: () => ({ text: (call, arg) => futexCommand(low(call, arg)) }),
  futexval3: () => ({ text: futexLast }),
  waitedid: () => ({
    text: (call, arg) =>
      IDTYPE.name(int(call, 0)) === "P_PIDFD" ? fdText(call, int(call, arg)) : String(int(call, arg)),
    json: (call, arg) => (IDTYPE.name(int(call, 0)) === "P_PIDFD" ? fdJson(call, int(call, arg)) : int(call, arg)),
  }),
  groups: (count) => ({
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: count, scale: 4 } }],
    text: (call, arg) => groupsText(call, arg, low(call, count)),
  }),
  groupsout: () => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true, scale: 4 } }],
    // Without room only their number is asked for.
    text: (call, arg) => (low(call, 0) === 0 ? pointer(call, arg) : groupsText(call, arg, call.ret)),
  }),
  cpus: (size) => ({
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: size }, max: 128 }],
    text: cpusText,
  }),
  cpusout: () => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true }, max: 128 }],
    text: cpusText,
  }),
  futexval: () => ({ captures: constant(16, "enter"), text: futexValue }),
  pollfds: (count) => ({
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: count, scale: 8 }, max: 256 }],
    text: (call, arg) => pollText(call, arg, count),
  }),
  epevent: () => ({
    captures: constant(EPOLL_EVENT, "enter"),
    text: (call, arg) => {
      const view = viewOf(captured(call, arg), EPOLL_EVENT);
      // Not looked at when a descriptor is taken out.
      const used = view !== undefined && EPOLL_OP.name(int(call, 1)) !== "EPOLL_CTL_DEL";
      return used ? epollEvent(view, 0) : pointer(call, arg);
    },
  }),
  epevents: () => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true, scale: EPOLL_EVENT }, max: 240 }],
    text: epollEvents,
  }),
  fdset: () => ({ captures: constant(128, "enter"), text: fdSet }),
  uname: () => ({ captures: constant(195, "exit"), text: unameText }),
  prctlval: () => ({ captures: (arg) => [{ arg, when: "enter", kind: "string" }], text: prctlValue, json: prctlJson }),
  clock: () => ({ text: (call, arg) => clockText(int(call, arg)) }),
  policy: () => ({ text: (call, arg) => policyText(int(call, arg)) }),
  persona: () => ({ text: (call, arg) => personaText(low(call, arg)) }),
  ptrace: () => ({ text: (call, arg) => PTRACE.text(int(call, arg)) }),
};

const SCHED_RESET_ON_FORK = 0x40000000;

/** A scheduling policy, with the one flag that may be or-ed to it (sched_setscheduler(2)). */
function policyText(value: number): string {
  const reset = (value & SCHED_RESET_ON_FORK) !== 0;
  return `${SCHED.text(value & ~SCHED_RESET_ON_FORK)}${reset ? "|SCHED_RESET_ON_FORK" : ""}`;
}

const PERSONALITY_QUERY = 0xffffffff;
const DOMAINS: Readonly<Record<number, string>> = { 0: "PER_LINUX", 8: "PER_LINUX32" };

/** An execution domain in the lowest byte, flags above; all ones only asks which it is (personality(2)). */
function personaText(value: number): string {
  if (value === PERSONALITY_QUERY) return "0xffffffff";
  const domain = DOMAINS[value & 0xff] ?? `0x${(value & 0xff).toString(16)}`;
  const flags = (value & ~0xff) >>> 0;
  return flags === 0 ? domain : `${domain}|${PERSONALITY.text(flags)}`;
}

/** A clock; negative ids are CPU clocks of a process or thread (clock_getres(2)). */
function clockText(id: number): string {
  if (id >= 0) return CLOCK.text(id);
  return `MAKE_${(id & 4) === 0 ? "PROCESS" : "THREAD"}_CPUCLOCK(${~(id >> 3)}, ${id & 3})`;
}
