import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeFileSync } from "node:fs";
import { Fd, isInTracefs, native, noTracefs, nr, SystemError, tracefsRefusal, tracefsRoot } from "../sys/index.ts";
import { LineSource } from "./line-source.ts";
import { type TraceLine, TraceParser } from "./trace-parser.ts";

/** What programs print cannot be read here. */
export class TracePipeError extends Error {
  override readonly name = "TracePipeError";
  readonly code = "SKEP_TRACE_PIPE";
}

const EVENT = "events/bpf_trace/bpf_trace_printk/enable";
const EAGAIN = 11;
const EINTR = 4;
/** More than the kernel gives with one read. */
const READ = 65_536;

let instances = 0;

/** The text of one trace_pipe. */
export class TraceSource extends LineSource<TraceLine> {
  readonly name: string;
  readonly descriptor: Fd;
  /** Whether it is an instance of its own, and not the one that all share. */
  readonly own: boolean;
  readonly #parser = new TraceParser();
  readonly #buffer = Buffer.allocUnsafe(READ);
  readonly #instance: string | undefined;

  constructor(shared: boolean, kibPerCpu: number | undefined) {
    super();
    const root = tracefsRoot();
    if (root === undefined) {
      throw new TracePipeError(`What programs print is read from tracefs. ${noTracefs()}`);
    }
    this.own = !shared && isInTracefs(`${root}/${EVENT}`);
    this.#instance = this.own ? makeInstance(root, kibPerCpu) : undefined;
    const path = `${this.#instance ?? root}/trace_pipe`;
    this.name = `reader of ${path}`;
    try {
      this.descriptor = new Fd(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), path);
    } catch (cause) {
      this.#removeInstance();
      const refusal = (cause as NodeJS.ErrnoException).code === "EACCES" ? ` ${tracefsRefusal(path)}` : "";
      throw new TracePipeError(`${path} cannot be opened: ${(cause as Error).message}.${refusal}`, { cause });
    }
  }

  get others(): number {
    return this.#parser.counts.others;
  }

  /** Undefined when the kernel said that something was lost, but not how much. */
  get lost(): number | undefined {
    const { lost, lostUnknown } = this.#parser.counts;
    return lostUnknown ? undefined : lost;
  }

  override close(): void {
    super.close();
    this.#removeInstance();
  }

  protected override fill(): boolean {
    const result = native().syscall(nr.read, this.descriptor.number, this.#buffer, READ);
    if (result === -EAGAIN || result === -EINTR || result === 0) return false;
    if (result < 0) throw new SystemError({ errno: -result, syscall: "read", doing: `read ${this.descriptor.what}` });
    for (const line of this.#parser.parse(this.#buffer.toString("utf8", 0, result))) this.lines.push(line);
    return true;
  }

  #removeInstance(): void {
    if (this.#instance === undefined) return;
    try {
      rmdirSync(this.#instance);
    } catch {
      // Somebody else has a file of it open: it is theirs to remove then.
    }
  }
}

/** A tracing instance (Documentation/trace/ftrace.rst) with nothing but what programs print. */
function makeInstance(root: string, kibPerCpu: number | undefined): string {
  const path = `${root}/instances/skep-${process.pid}-${instances++}`;
  try {
    mkdirSync(path);
  } catch (cause) {
    throw new TracePipeError(
      `A tracing instance of its own cannot be made (${path}: ${(cause as Error).message}). With \`shared: true\` the trace_pipe of all is read.`,
      { cause },
    );
  }
  try {
    if (kibPerCpu !== undefined) write(`${path}/buffer_size_kb`, `${kibPerCpu}`);
    write(`${path}/${EVENT}`, "1");
    return path;
  } catch (cause) {
    rmdirSync(path);
    throw new TracePipeError(`${path} cannot be set up: ${(cause as Error).message}.`, { cause });
  }
}

function write(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY);
  try {
    writeFileSync(fd, text);
  } finally {
    closeSync(fd);
  }
}
