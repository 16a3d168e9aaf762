import { formatCall, signalName } from "../decode/index.ts";
import type { SignalEvent, ThreadExitEvent, TracedCall, TraceSink } from "../events.ts";
import type { Output } from "../output.ts";
import { formatDuration } from "./duration.ts";

const RED = "\u001b[31m";
const DIM = "\u001b[2m";
const CYAN = "\u001b[36m";
const OFF = "\u001b[0m";

export interface LinesOptions {
  readonly output: Output;
  readonly colour: boolean;
  /** Show the thread's id on every line, not only once there are several. */
  readonly alwaysIds: boolean;
}

/** How long it took, or why that is not known. */
function timeText(call: TracedCall): string {
  return call.resumed ? "resumed" : call.refused ? "refused by seccomp" : formatDuration(call.ns);
}

/** The trace as lines for people: one for each call, signal and exit. */
export class LinesView implements TraceSink {
  readonly #output: Output;
  readonly #colour: boolean;
  #ids: boolean;
  #firstTid = 0;
  /** The prefix made last: a thread makes many calls in a row. */
  #prefixTid = -1;
  #prefixText = "";

  constructor(options: LinesOptions) {
    this.#output = options.output;
    this.#colour = options.colour;
    this.#ids = options.alwaysIds;
  }

  call(call: TracedCall): void {
    const prefix = this.#prefix(call.tid);
    const duration = call.unfinished ? "" : ` <${timeText(call)}>`;
    const text = formatCall(call);
    if (!this.#colour) {
      this.#output.write(`${prefix}${text}${duration}\n`);
      return;
    }
    const open = text.indexOf("(");
    const result = text.lastIndexOf(" = ");
    const end = result < 0 ? text.length : result;
    const failed = call.ret < 0 && call.ret >= -4095;
    const tail = failed ? `${RED}${text.slice(end)}${OFF}` : text.slice(end);
    this.#output.write(
      `${prefix}${CYAN}${text.slice(0, open)}${OFF}${text.slice(open, end)}${tail}${DIM}${duration}${OFF}\n`,
    );
  }

  signal(event: SignalEvent): void {
    this.#output.write(`${this.#prefix(event.tid)}--- ${signalName(event.signal)} ---\n`);
  }

  threadExit(event: ThreadExitEvent): void {
    this.#output.write(`${this.#prefix(event.tid)}+++ ${event.last ? "process" : "thread"} ended +++\n`);
  }

  /** Until a second thread shows up, ids would only be noise. */
  #prefix(tid: number): string {
    if (!this.#ids) {
      if (this.#firstTid === 0) this.#firstTid = tid;
      if (this.#firstTid === tid) return "";
      this.#ids = true;
    }
    if (tid !== this.#prefixTid) {
      const text = String(tid).padEnd(7);
      this.#prefixTid = tid;
      this.#prefixText = this.#colour ? `${DIM}${text}${OFF} ` : `${text} `;
    }
    return this.#prefixText;
  }
}
