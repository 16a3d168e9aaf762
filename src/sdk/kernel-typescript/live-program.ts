import type { KernelProgram, Schedule } from "../../language/kernel/index.ts";
import { BytesCodec } from "../../object/codec/index.ts";
import { attachXdp, type IteratorLink, type Link, type XdpOptions } from "../../runtime/link/index.ts";
import { attachProgram, type Program } from "../../runtime/load/index.ts";
import type { BpfMap } from "../../runtime/map/index.ts";
import { attachSchedule } from "./schedule.ts";

/** What has to be said to attach a program, by its kind: nothing for most. */
export interface AttachArguments {
  tracepoint: [];
  rawTracepoint: [];
  tpBtf: [];
  kprobe: [];
  kretprobe: [];
  uprobe: [options?: { readonly pid?: number }];
  uretprobe: [options?: { readonly pid?: number }];
  usdt: [options?: { readonly pid?: number; readonly cookie?: bigint }];
  fentry: [];
  fexit: [];
  lsm: [];
  profile: [options?: { readonly pid?: number; readonly cpus?: readonly number[] }];
  interval: [];
  iter: [];
  xdp: [to: { readonly interface: string | number; readonly mode?: XdpOptions["mode"] }];
  syscall: never;
}

/** A program of a loaded module: one that is attached, or one that JavaScript runs. */
export type LiveProgram<K extends keyof AttachArguments, C> = K extends "syscall"
  ? RunnableProgram<C>
  : AttachableProgram<K>;

/** A program that is attached somewhere. */
export class AttachableProgram<K extends keyof AttachArguments = keyof AttachArguments> {
  /** Which kind: `tracepoint`, `fentry` … */
  readonly kind: K;
  /** The loaded program itself, with all that programs can. */
  readonly program: Program;
  readonly #schedule: Schedule | undefined;
  readonly #maps: Readonly<Record<string, BpfMap>>;

  constructor(descriptor: KernelProgram<K>, program: Program, maps: Readonly<Record<string, BpfMap>>) {
    this.kind = descriptor.kind;
    this.program = program;
    this.#schedule = descriptor.schedule;
    this.#maps = maps;
  }

  /**
   * Attaches it. The caller closes the link; attaching once more makes a second one, and the program runs twice. Throws what the
   * functions for the kinds throw (`attachTracepoint` …).
   */
  attach(...to: AttachArguments[K]): K extends "iter" ? IteratorLink : Link {
    return this.#attach(to[0] ?? {}) as K extends "iter" ? IteratorLink : Link;
  }

  #attach(to: {
    readonly pid?: number;
    readonly cookie?: bigint;
    readonly cpus?: readonly number[];
    readonly interface?: string | number;
    readonly mode?: XdpOptions["mode"];
  }): Link {
    const { program } = this;
    const places = {
      ...(to.pid !== undefined && { pid: to.pid }),
      ...(to.cookie !== undefined && { cookie: to.cookie }),
    };
    if (this.#schedule !== undefined) return attachSchedule(program, this.#schedule, to);
    if (this.kind === "xdp")
      return attachXdp(program, to.interface as string | number, to.mode === undefined ? {} : { mode: to.mode });
    return attachProgram(program, places, this.#maps);
  }
}

/** What a run gave. */
export interface RunResult<C> {
  /** What the program returned, as a signed number of 32 bits. */
  readonly value: number;
  /** What was handed over, as the program left it. */
  readonly context: C;
}

/** A program that runs when JavaScript says so. */
export class RunnableProgram<C = unknown> {
  /** Which kind. */
  readonly kind = "syscall";
  /** The loaded program itself. */
  readonly program: Program;
  readonly #context: BytesCodec | undefined;

  constructor(descriptor: KernelProgram<"syscall", C>, program: Program) {
    this.program = program;
    const layout = descriptor.context?.layout;
    this.#context = layout === undefined ? undefined : new BytesCodec(layout);
  }

  /** Runs it once (BPF_PROG_TEST_RUN, Linux 5.14). Throws SystemError, CodecError for a context that does not fit. */
  run(...context: [C] extends [undefined] ? [] : [context: C]): RunResult<C> {
    const codec = this.#context;
    if (codec === undefined) return { value: this.program.testRun().retval | 0, context: undefined as C };
    const bytes = codec.encode(context[0] as never);
    const { retval, contextOut } = this.program.testRun({ context: bytes, contextOutSize: bytes.length });
    return { value: retval | 0, context: codec.decode(contextOut as Uint8Array) as C };
  }
}
