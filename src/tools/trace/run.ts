import { existsSync } from "node:fs";
import type { Child } from "../../sdk/index.ts";
import { type CommandEnd, findCommand, startCommand } from "./command.ts";
import type { TracedCall, TraceSink } from "./events.ts";
import { Output } from "./output.ts";
import { reading } from "./reading.ts";
import type { TraceLosses } from "./session.ts";
import type { CallCounter, CallStatistics } from "./statistics.ts";
import { type TraceTarget, Tracing } from "./tracing.ts";
import type { JsonView } from "./view/json-view.ts";
import type { LinesView } from "./view/lines-view.ts";

/** What `skep trace` was asked for. */
export interface TraceRequest {
  readonly target: TraceTarget;
  /** The command and its arguments, for a target of kind `command`. */
  readonly command: readonly string[];
  readonly calls: ReadonlySet<number> | undefined;
  /** The same for 32-bit programs, by their own numbers. */
  readonly compatCalls: ReadonlySet<number> | undefined;
  readonly failedOnly: boolean;
  readonly minNs: number;
  /** `only`: statistics instead of the calls, kept in the kernel. `after`: the calls, and then the statistics. */
  readonly summary: "none" | "only" | "after";
  readonly histograms: boolean;
  readonly json: boolean;
  /** A path, `-` for stdout, undefined for where it belongs: stderr beside a command's own output, else stdout. */
  readonly output: string | undefined;
  readonly colour: boolean | undefined;
  readonly ringBytes: number | undefined;
}

/**
 * The ring of a trace that goes to a file: written at full speed, and what a thread does in the tenth of a second that the
 * reader may be kept waiting must fit. People who watch a terminal have not this speed, and want the first line soon.
 */
const FILE_RING_BYTES = 64 << 20;

/** The calls that a list such as `openat,%net,!close` means on this machine. Throws SyscallFilterError. */
export function parseCalls(list: string): ReadonlySet<number> {
  return reading().parseSyscallFilter(list, process.arch);
}

/** The same for the 32-bit programs of this machine. */
export function parseCompatCalls(list: string): ReadonlySet<number> {
  const { compatArch, parseCompatFilter } = reading();
  const arch = compatArch(process.arch);
  return arch === undefined ? new Set() : parseCompatFilter(list, arch);
}

/** Time that a process group of which the command was only the first gets to be looked at again. */
const POLL_MS = 20;
/** Polls: a second. */
const GONE_EVERY = 50;

/** Runs a trace to its end and returns the exit code: the command's own, or 0. */
export async function runTrace(request: TraceRequest): Promise<number> {
  const file = request.target.kind === "command" ? findCommand(request.command[0] as string) : undefined;
  checkTarget(request.target);
  const trace = new TraceRun(request);
  return await trace.run(file);
}

/** A process or cgroup that is not there. */
export class TargetError extends Error {
  override readonly name = "TargetError";
  readonly code = "SKEP_TARGET";
}

function checkTarget(target: TraceTarget): void {
  if (target.kind === "pids") {
    for (const pid of target.pids) {
      if (!existsSync(`/proc/${pid}`)) throw new TargetError(`There is no process ${pid}.`);
    }
  } else if (target.kind === "cgroup" && !existsSync(`${target.path}/cgroup.procs`)) {
    throw new TargetError(
      `${target.path} is not a cgroup: give its folder in the cgroup2 file system, e.g. /sys/fs/cgroup/system.slice.`,
    );
  }
}

class TraceRun implements TraceSink {
  readonly #request: TraceRequest;
  readonly #output: Output;
  #lines: LinesView | undefined;
  #json: JsonView | undefined;
  readonly #started = process.hrtime.bigint();
  #tracing: Tracing | undefined;
  #counter: CallCounter | undefined;
  #calls = 0;
  #errors = 0;
  #child: Child | undefined;
  /** Looks whether the target is still there. */
  #timer: NodeJS.Timeout | undefined;
  readonly #processes = new Set<number>();
  #lastPid = -1;
  #polls = 0;
  #finish: ((code: number) => void) | undefined;

  constructor(request: TraceRequest) {
    this.#request = request;
    const where = request.output ?? (request.target.kind === "command" ? undefined : "-");
    this.#output = Output.open(where, () => this.#end(0));
  }

  /** After the tracing has begun to load: the views come while the kernel is at work. Nothing is delivered before. */
  #makeViews(): void {
    const request = this.#request;
    const { CallCounter, JsonView, LinesView } = reading();
    if (request.summary === "after") this.#counter = new CallCounter();
    if (request.summary === "only") return;
    if (request.json) {
      this.#json = new JsonView(this.#output);
      return;
    }
    const colour =
      request.colour ?? (this.#output.isTerminal && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb");
    this.#lines = new LinesView({
      output: this.#output,
      colour,
      alwaysIds: request.output !== undefined || request.target.kind !== "command",
    });
  }

  call(call: TracedCall): void {
    this.#calls++;
    if (call.ret < 0 && call.ret >= -4095 && !call.unfinished) this.#errors++;
    if (call.pid !== this.#lastPid) {
      this.#lastPid = call.pid;
      this.#processes.add(call.pid);
    }
    this.#counter?.add(call);
    (this.#lines ?? this.#json)?.call(call);
  }

  signal(event: Parameters<LinesView["signal"]>[0]): void {
    (this.#lines ?? this.#json)?.signal(event);
  }

  threadExit(event: Parameters<LinesView["threadExit"]>[0]): void {
    (this.#lines ?? this.#json)?.threadExit(event);
  }

  async run(file: string | undefined): Promise<number> {
    const { target, command } = this.#request;
    const done = new Promise<number>((resolve) => {
      this.#finish = resolve;
    });
    this.#onSignals();
    const tracing = this.#start();
    this.#tracing = tracing;
    this.#makeViews();
    this.#json?.begin({ target: target.kind === "command" ? { kind: "command", command } : target });
    try {
      if (file === undefined) this.#watchTarget();
      else this.#runCommand(tracing, file);
      const code = await done;
      tracing.stop();
      this.#summarise(tracing);
      return code;
    } finally {
      this.#child?.release();
      tracing.close();
      this.#output.close();
    }
  }

  #start(): Tracing {
    const { target, calls, compatCalls, failedOnly, minNs, summary, ringBytes, output } = this.#request;
    const options = { target, calls, compatCalls, failedOnly, minNs, ...(summary !== "only" && { sink: this }) };
    if (ringBytes !== undefined) return Tracing.start({ ...options, ringBytes });
    if (output === undefined || output === "-") return Tracing.start(options);
    try {
      return Tracing.start({ ...options, ringBytes: FILE_RING_BYTES });
    } catch (error) {
      // More than the memory cgroup allows: the usual size may fit, and what is lost is told.
      if ((error as { code?: unknown }).code !== "ENOMEM") throw error;
      return Tracing.start(options);
    }
  }

  #end(code: number): void {
    clearTimeout(this.#timer);
    this.#finish?.(code);
  }

  #runCommand(tracing: Tracing, file: string): void {
    tracing.awaitChild();
    try {
      this.#child = startCommand(file, this.#request.command, (end) => {
        this.#child = undefined;
        this.#whenAllEnded(tracing, exitCode(end));
      });
    } catch (error) {
      tracing.forgetChild();
      throw error;
    }
  }

  /** Signals end the tracing; from before anything is attached, so that none finds Skep unprepared. */
  #onSignals(): void {
    let interrupts = 0;
    process.on("SIGINT", () => {
      // From a terminal the command gets it, too, and ends, or has its reasons not to; a second one ends the tracing.
      if (this.#child === undefined) this.#end(this.#request.target.kind === "command" ? 130 : 0);
      else if (++interrupts > 1) this.#end(130);
      else if (!process.stdin.isTTY) this.#signalChild("SIGINT");
    });
    process.on("SIGTERM", () => {
      this.#signalChild("SIGTERM");
      this.#end(this.#request.target.kind === "command" ? 143 : 0);
    });
    process.on("SIGHUP", () => this.#end(this.#request.target.kind === "command" ? 129 : 0));
  }

  #signalChild(signal: NodeJS.Signals): void {
    // Its end has not been seen yet, so the id is still its own.
    if (this.#child !== undefined) process.kill(this.#child.pid, signal);
  }

  /** What the command left running is still traced, as long as it lives. */
  #whenAllEnded(tracing: Tracing, code: number): void {
    // Now and then what is gone is looked for: an end that the kernel skipped must not be waited for.
    if (++this.#polls % GONE_EVERY === 0) tracing.forgetGone();
    if (!tracing.hasThreads()) this.#end(code);
    else this.#timer = setTimeout(() => this.#whenAllEnded(tracing, code), POLL_MS);
  }

  #watchTarget(): void {
    const { target } = this.#request;
    this.#timer = setInterval(() => {
      if (target.kind !== "pids" || target.pids.some((pid) => existsSync(`/proc/${pid}`))) return;
      if (this.#tracing?.hasThreads() === true) return;
      this.#end(0);
    }, 100);
  }

  #summarise(tracing: Tracing): void {
    const seconds = Number(process.hrtime.bigint() - this.#started);
    const losses = tracing.losses();
    const output = this.#output;
    if (this.#request.summary === "only") {
      const rows = tracing
        .statistics()
        .filter((row) => this.#request.calls === undefined || this.#request.calls.has(row.nr));
      if (this.#request.json) {
        output.write(
          `${JSON.stringify({ schema: "skep.trace-summary/1", syscalls: rows.map(named), lost: losses })}\n`,
        );
        return;
      }
      this.#table(rows);
      if (lossText(losses) !== "nothing lost") output.write(`${lossText(losses)}\n`);
      return;
    }
    const counted = this.#counter?.rows();
    if (this.#json !== undefined) {
      this.#json.end({
        calls: this.#calls,
        errors: this.#errors,
        processes: this.#processes.size,
        ns: seconds,
        ...(counted !== undefined && { syscalls: counted.map(named) }),
        lost: losses,
      });
      // The file has it, but the person who waits would not see it there.
      if (this.#request.output !== undefined && this.#request.output !== "-" && lossText(losses) !== "nothing lost")
        tell(`skep: ${lossText(losses)}\n`);
      return;
    }
    if (counted !== undefined) {
      output.write("\n");
      this.#table(counted);
    }
    const failed = this.#errors === 0 ? "" : ` (${this.#errors} failed)`;
    const processes = this.#processes.size === 1 ? "1 process" : `${this.#processes.size} processes`;
    const text = `skep: ${this.#calls} calls${failed}, ${processes}, ${reading().formatDuration(seconds)}; ${lossText(losses)}\n`;
    // The summary is for the person who waits, not for the file.
    if (this.#request.output !== undefined && this.#request.output !== "-") tell(text);
    else output.write(text);
  }

  #table(rows: readonly CallStatistics[]): void {
    const nameOf = (nr: number) => reading().nameOfCall(nr, false);
    this.#output.write(`${reading().formatSummary(rows, nameOf)}\n`);
    if (this.#request.histograms) this.#output.write(`\n${reading().formatHistograms(rows, nameOf)}\n`);
  }
}

/** Says something to the person who waits, where the trace goes elsewhere. For a stream of Node's the command would end 3 ms later. */
function tell(text: string): void {
  try {
    const stderr = Output.open(undefined, () => {});
    stderr.write(text);
    stderr.close();
  } catch {
    // There is no stderr: nobody waits.
  }
}

function named(row: CallStatistics): Record<string, unknown> {
  const { nr, histogram: _, ...rest } = row;
  return { syscall: reading().nameOfCall(nr, false), ...rest };
}

/** What was lost, in words; the causes only when there are any. */
export function lossText(losses: TraceLosses): string {
  const parts = [
    losses.calls > 0 ? `${losses.calls} calls` : "",
    losses.captures > 0 ? `${losses.captures} argument texts` : "",
    losses.life > 0 ? `${losses.life} births, exits or signals` : "",
  ].filter((p) => p !== "");
  const ring =
    parts.length === 0 ? "" : `LOST ${parts.join(", ")} because the ring was full (--buffer makes it larger)`;
  const threads = losses.untrackedThreads === 0 ? "" : `${losses.untrackedThreads} threads NOT FOLLOWED`;
  const misses = losses.recursionMisses === 0 ? "" : `${losses.recursionMisses} events SKIPPED by the kernel`;
  return [ring, threads, misses].filter((p) => p !== "").join("; ") || "nothing lost";
}

/** As a shell tells it: 128 + the number of the signal that killed it. */
function exitCode(end: CommandEnd): number {
  return end.signal === undefined ? (end.code ?? 1) : 128 + end.signal;
}
