import { signalName } from "../../../../machine/proc/index.ts";
import { CHILD_CODE, SA, SIGNAL_CODE, SS } from "../constants/index.ts";
import type { ArgumentType, DecodedCall } from "../model.ts";
import { captured, pointer, viewOf } from "../words.ts";
import { constant } from "./basic.ts";

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
  // The kernel looks at the lower half only; programs that extend a sign set the other, too.
  const rest = view.getUint32(12, true);
  const flags = `${SA.text(view.getUint32(8, true))}${rest === 0 ? "" : `|0x${rest.toString(16)}00000000`}`;
  return `{sa_handler=${handler}, sa_mask=${mask}, sa_flags=${flags}}`;
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

const SIGCHLD = 17;

/** `siginfo_t` (sigaction(2)): signo 0, code 8; who sent it 16 and 20, then a child's status or a value at 24. */
function siginfoText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), SIGINFO);
  if (view === undefined) return pointer(call, arg);
  const signal = view.getInt32(0, true);
  // waitid(2) found no child.
  if (signal === 0) return "{}";
  const code = view.getInt32(8, true);
  const sender = `si_pid=${view.getInt32(16, true)}, si_uid=${view.getUint32(20, true)}`;
  const value = view.getInt32(24, true);
  if (signal === SIGCHLD && code > 0) {
    // An exit code for one that exited, else a signal.
    const status = code === 1 ? String(value) : signalName(value);
    return `{si_signo=${signalName(signal)}, si_code=${CHILD_CODE.text(code)}, ${sender}, si_status=${status}, ...}`;
  }
  const carried = code === -1 ? `, si_int=${value}` : "";
  return `{si_signo=${signalName(signal)}, si_code=${SIGNAL_CODE.text(code)}, ${sender}${carried}, ...}`;
}

const SIGINFO = 32;

/** `stack_t` (sigaltstack(2)): sp 0, flags 8, size 16. */
function stackText(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 24);
  if (view === undefined) return pointer(call, arg);
  const sp = `0x${view.getBigUint64(0, true).toString(16)}`;
  return `{ss_sp=${sp === "0x0" ? "NULL" : sp}, ss_flags=${SS.text(view.getUint32(8, true))}, ss_size=${view.getBigUint64(16, true)}}`;
}

/** Signals: sets, actions, what they carry, and what wait(2) says of a child. */
export const SIGNAL: Readonly<Record<string, ArgumentType>> = {
  __proto__: null as never,
  sigset: { captures: constant(8, "enter"), text: signalSetText },
  sigsetout: { captures: constant(8, "exit"), text: signalSetText },
  sigaction: { captures: constant(32, "enter"), text: sigactionText },
  sigactionout: { captures: constant(32, "exit"), text: sigactionText },
  siginfo: { captures: constant(SIGINFO, "enter"), text: siginfoText },
  siginfoout: { captures: constant(SIGINFO, "exit"), text: siginfoText },
  stack: { captures: constant(24, "enter"), text: stackText },
  stackout: { captures: constant(24, "exit"), text: stackText },
  wstatus: { captures: constant(4, "exit"), text: waitText },
};
