import { signalName } from "../../../../machine/proc/index.ts";
import { CLOCK, CLONE, EPOLL, FUTEX, PERSONALITY, POLL, PRCTL, PTRACE, SA, SCHED, SS } from "../constants/index.ts";
import { quote, textLength } from "../escape.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { captured, hex, int, isNull, low, pointer, unsigned, viewOf } from "../words.ts";
import { fdText } from "./file.ts";

/** A set of signals, `[CHLD INT]`; of more than half of all, those that are missing: `~[KILL STOP]`. */
export function signalSet(lowWord: number, highWord: number): string {
  const members: string[] = [];
  const others: string[] = [];
  for (let i = 0; i < 64; i++) {
    const bit = i < 32 ? lowWord & (1 << i) : highWord & (1 << (i - 32));
    (bit === 0 ? others : members).push(signalName(i + 1).replace(/^SIG/, ""));
  }
  return members.length > 32 ? `~[${others.join(" ")}]` : `[${members.join(" ")}]`;
}

function signalSetText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 8);
  return view === undefined ? pointer(call, arg) : signalSet(view.getUint32(0, true), view.getUint32(4, true));
}

/** `struct sigaction` of the kernel (rt_sigaction(2)): handler, flags, on x86 a restorer, then the mask. */
function sigactionText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 24);
  if (view === undefined) return pointer(call, arg);
  const address = view.getBigUint64(0, true);
  const handler = address === 0n ? "SIG_DFL" : address === 1n ? "SIG_IGN" : `0x${address.toString(16)}`;
  const maskAt = process.arch === "arm64" ? 16 : 24;
  const mask =
    view.byteLength >= maskAt + 8 ? signalSet(view.getUint32(maskAt, true), view.getUint32(maskAt + 4, true)) : "...";
  return `{sa_handler=${handler}, sa_mask=${mask}, sa_flags=${SA.text(view.getUint32(8, true))}}`;
}

/** What wait4(2) says of a child, in the macros of wait(2). */
export function waitStatus(status: number): string {
  if ((status & 0x7f) === 0) {
    const exit = (status >>> 8) & 0xff;
    return `[{WIFEXITED(s) && WEXITSTATUS(s) == ${exit}}]`;
  }
  if (status === 0xffff) return "[{WIFCONTINUED(s)}]";
  if ((status & 0xff) === 0x7f) return `[{WIFSTOPPED(s) && WSTOPSIG(s) == ${signalName((status >>> 8) & 0xff)}}]`;
  const core = (status & 0x80) === 0 ? "" : " && WCOREDUMP(s)";
  return `[{WIFSIGNALED(s) && WTERMSIG(s) == ${signalName(status & 0x7f)}${core}}]`;
}

function waitText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 4);
  return view === undefined || call.ret === 0 ? pointer(call, arg) : waitStatus(view.getUint32(0, true));
}

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

/** Arguments of a futex command (futex(2)). */
export function futexArity(call: DecodedCall): number {
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
    case "FUTEX_REQUEUE":
      return 5;
    default:
      return 6;
  }
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

/** How many arguments prctl(2) takes for an option. */
export function prctlArity(call: DecodedCall): number {
  const option = PRCTL.name(int(call, 0)) ?? "";
  if (option === "PR_SET_VMA" || option === "PR_SET_MM" || option === "PR_SCHED_CORE") return 5;
  if (option === "PR_CAP_AMBIENT") return 3;
  if (option.startsWith("PR_SET_SECCOMP")) return int(call, 1) === 2 ? 3 : 2;
  if (/^PR_GET_(?!PDEATHSIG|NAME|CHILD_SUBREAPER|TSC|TID_ADDRESS|UNALIGN|AUXV)/.test(option)) return 1;
  return 2;
}

const constant =
  (size: number, when: "enter" | "exit"): NonNullable<ArgumentType["captures"]> =>
  (arg) => [{ arg, when, kind: "bytes", length: { const: size } }];

export const PROCESS: Readonly<Record<string, (parameter: number) => ArgumentType>> = {
  sigset: () => ({ captures: constant(8, "enter"), text: signalSetText }),
  sigsetout: () => ({ captures: constant(8, "exit"), text: signalSetText }),
  sigaction: () => ({ captures: constant(32, "enter"), text: sigactionText }),
  sigactionout: () => ({ captures: constant(32, "exit"), text: sigactionText }),
  wstatus: () => ({ captures: constant(4, "exit"), text: waitText }),
  cloneflags: () => ({ text: (call, arg) => cloneFlags(low(call, arg)) }),
  cloneargs: () => ({ captures: constant(88, "enter"), text: cloneArgs }),
  futexop: () => ({ text: (call, arg) => futexCommand(low(call, arg)) }),
  futexval: () => ({ captures: constant(16, "enter"), text: futexValue }),
  pollfds: (count) => ({
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: count, scale: 8 }, max: 256 }],
    text: (call, arg) => pollText(call, arg, count),
  }),
  epevent: () => ({
    captures: constant(EPOLL_EVENT, "enter"),
    text: (call, arg) => {
      const view = viewOf(captured(call, arg), EPOLL_EVENT);
      return view === undefined ? pointer(call, arg) : epollEvent(view, 0);
    },
  }),
  epevents: () => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { ret: true, scale: EPOLL_EVENT }, max: 240 }],
    text: epollEvents,
  }),
  fdset: () => ({ captures: constant(128, "enter"), text: fdSet }),
  uname: () => ({ captures: constant(195, "exit"), text: unameText }),
  prctlval: () => ({ captures: (arg) => [{ arg, when: "enter", kind: "string" }], text: prctlValue }),
  clock: () => ({ text: (call, arg) => clockText(int(call, arg)) }),
  policy: () => ({ text: (call, arg) => policyText(int(call, arg)) }),
  persona: () => ({ text: (call, arg) => personaText(low(call, arg)) }),
  ptrace: () => ({ text: (call, arg) => PTRACE.text(int(call, arg)) }),
  stack: () => ({
    captures: constant(24, "enter"),
    text: (call, arg) => {
      const view = viewOf(captured(call, arg), 24);
      if (view === undefined) return pointer(call, arg);
      return `{ss_sp=0x${view.getBigUint64(0, true).toString(16)}, ss_flags=${SS.text(view.getUint32(8, true))}, ss_size=${view.getBigUint64(16, true)}}`;
    },
  }),
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
