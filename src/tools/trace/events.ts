import type { DecodedCall } from "./decode/index.ts";

/**
 * A system call of a traced thread, as it is reported when it ends. The object and its `args` are used again for the
 * next call: what is to outlive the function it was handed to must be taken out of it, or copied with `keepCall`.
 */
export interface TracedCall extends DecodedCall {
  readonly pid: number;
  readonly tid: number;
  /** Nanoseconds since boot (CLOCK_MONOTONIC) when it was entered. */
  readonly start: number;
  /** Nanoseconds it took. */
  readonly ns: number;
  /** The call began before the tracing did: its duration is not known. */
  readonly resumed: boolean;
  /** A seccomp filter answered in the kernel's place: the call was never entered, and took no time that is known. */
  readonly refused: boolean;
}

/** A copy that stays as it is. Its `files` still follow the process. */
export function keepCall(call: TracedCall): TracedCall {
  return { ...call, args: call.args.slice() };
}

/** A signal was delivered to a thread: its number, and when, in nanoseconds since boot (CLOCK_MONOTONIC). */
export interface SignalEvent {
  readonly pid: number;
  readonly tid: number;
  readonly signal: number;
  readonly time: number;
}

/** A thread ended; `pid === tid` when it was the process's first thread. */
export interface ThreadExitEvent {
  readonly pid: number;
  readonly tid: number;
  readonly time: number;
  /** It was the last one of its process: the process ended. */
  readonly last: boolean;
}

/** What a trace hands out, in the order the kernel saw it. */
export interface TraceSink {
  /** A system call ended. */
  call(call: TracedCall): void;
  /** A signal was delivered. */
  signal?(event: SignalEvent): void;
  /** A thread ended. */
  threadExit?(event: ThreadExitEvent): void;
}
