import { argsOf, errnoName, signalName } from "../decode/index.ts";
import type { SignalEvent, ThreadExitEvent, TracedCall, TraceSink } from "../events.ts";
import type { Output } from "../output.ts";

/** The name and version of the lines' form; a change that breaks readers gets a new number. */
export const SCHEMA = "skep.trace/1";

/**
 * The trace as one JSON object a line. The first line is `{"schema": "skep.trace/1", …}`; then objects with a `type`:
 *
 * - `call`: `time_us` (since the epoch, when it was entered), `pid`, `tid`, `syscall`, `nr`, `args` (by name), `ret` (null when it
 *   never returned), `error` (name, or null), `ns` (null when it is not known), `ret_path` (what a returned descriptor is
 *   open on), and where true `unfinished`, `resumed`, `refused` (by seccomp), `compat` (32-bit)
 * - `signal`: `time_us`, `pid`, `tid`, `signal`
 * - `exit`: `time_us`, `pid`, `tid`, `last` (it was the last thread of its process)
 * - `summary`: the last line; what was delivered and what was lost.
 */
export class JsonView implements TraceSink {
  readonly #output: Output;
  /** Microseconds from the kernel's clock to the epoch. */
  readonly #epochUs: number;

  constructor(output: Output) {
    this.#output = output;
    this.#epochUs = Date.now() * 1000 - Number(process.hrtime.bigint() / 1000n);
  }

  begin(about: Readonly<Record<string, unknown>>): void {
    this.#line({ schema: SCHEMA, type: "begin", ...about });
  }

  call(call: TracedCall): void {
    const failed = call.ret < 0 && call.ret >= -4095;
    this.#line({
      type: "call",
      time_us: this.#time(call.start),
      pid: call.pid,
      tid: call.tid,
      syscall: call.name,
      nr: call.nr,
      args: argsOf(call),
      ret: call.unfinished ? null : call.ret,
      error: failed && !call.unfinished ? errnoName(-call.ret) : null,
      ns: call.unfinished || call.resumed || call.refused ? null : call.ns,
      // Left out when it is not known.
      ret_path: call.files.opened(call)?.file.text,
      ...(call.unfinished && { unfinished: true }),
      ...(call.resumed && { resumed: true }),
      ...(call.refused && { refused: true }),
      ...(call.compat && { compat: true }),
    });
  }

  signal(event: SignalEvent): void {
    this.#line({
      type: "signal",
      time_us: this.#time(event.time),
      pid: event.pid,
      tid: event.tid,
      signal: signalName(event.signal),
    });
  }

  threadExit(event: ThreadExitEvent): void {
    const { pid, tid, time, last } = event;
    this.#line({ type: "exit", time_us: this.#time(time), pid, tid, last });
  }

  end(summary: Readonly<Record<string, unknown>>): void {
    this.#line({ type: "summary", ...summary });
  }

  #time(ns: number): number {
    return Math.round(ns / 1000) + this.#epochUs;
  }

  #line(value: unknown): void {
    this.#output.write(`${JSON.stringify(value)}\n`);
  }
}
