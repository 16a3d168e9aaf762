import { argsOf, errnoName, signalName } from "../decode/index.ts";
import type { SignalEvent, ThreadExitEvent, TracedCall, TraceSink } from "../events.ts";
import type { Output } from "../output.ts";

/** The name and version of the lines' form; a change that breaks readers gets a new number. */
export const SCHEMA = "skep.trace/1";

/**
 * The trace as one JSON object a line. The first line is `{"schema": "skep.trace/1", …}`; then objects with a `type`:
 *
 * - `call`: `time_us` (since the epoch, when it was entered), `pid`, `tid`, `syscall`, `nr`, `args` (by name), `ret` (null when it
 *   never returned), `error` (name, or null), `ns` (null when it is not known), `unfinished`, `resumed`
 * - `signal`: `time_us`, `pid`, `tid`, `signal`
 * - `exit`: `time_us`, `pid`, `tid`
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
      ns: call.unfinished || call.resumed ? null : call.ns,
      ...(call.unfinished && { unfinished: true }),
      ...(call.resumed && { resumed: true }),
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
    this.#line({ type: "exit", time_us: this.#time(event.time), pid: event.pid, tid: event.tid });
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
