import type {
  ArgumentsContext,
  ArgumentsOf,
  Iterators,
  KernelFunctions,
  LsmHooks,
  NameOf,
  PerfEventContext,
  RawTracepoints,
  ReturnContext,
  Tracepoints,
  UprobeContext,
  UsdtContext,
} from "./context.ts";
import { Descriptor } from "./origin.ts";
import type { i32, u32, u64 } from "./scalar.ts";
import { isType, type Type } from "./type.ts";

/** What a program may return: a number, or nothing, which is 0; a boolean is nothing, too: `() => events.emit({ … })`. */
// biome-ignore lint/suspicious/noConfusingVoidType: functions without a result are meant, `() => opens.inc(comm())` among them.
export type ProgramResult = number | boolean | void;

/** A program of a module: which kind, what it attaches to. JavaScript never calls its function. */
export class KernelProgram<Kind extends string = string, Context = unknown> extends Descriptor {
  readonly kind: Kind;
  /** What it attaches to: `syscalls:sys_enter_openat`, `vfs_read`; "" where the kind says it all. */
  readonly target: string;
  /** Of `syscall` programs the type of what is handed over. */
  readonly context: Type<unknown, Context> | undefined;
  /** How often `profile` and `interval` run. */
  readonly schedule: Schedule | undefined;

  constructor(
    kind: Kind,
    target: string,
    details: { readonly context?: Type<unknown, Context>; readonly schedule?: Schedule } = {},
  ) {
    super();
    this.kind = kind;
    this.target = target;
    this.context = details.context;
    this.schedule = details.schedule;
  }
}

/** How often a program runs that time runs. */
export type Schedule =
  | { readonly kind: "profile"; readonly hz: number }
  | { readonly kind: "interval"; readonly ms: number };

/** Runs at a tracepoint (`syscalls:sys_enter_openat`), with the fields of its record. */
export function tracepoint<N extends NameOf<Tracepoints>>(
  name: N,
  _body: (ctx: Readonly<Tracepoints[N]>) => ProgramResult,
): KernelProgram<"tracepoint"> {
  return new KernelProgram("tracepoint", name);
}

/** Runs at a tracepoint, before its record is made: `ctx.args` are the tracepoint's own arguments. */
export function rawTracepoint<N extends NameOf<RawTracepoints>>(
  name: N,
  _body: (ctx: ArgumentsContext<ArgumentsOf<RawTracepoints[N]>>) => ProgramResult,
): KernelProgram<"rawTracepoint"> {
  return new KernelProgram("rawTracepoint", name);
}

/** Runs at a tracepoint with its own arguments, whose types the kernel knows. Linux 5.5. */
export function tpBtf<N extends NameOf<RawTracepoints>>(
  name: N,
  _body: (...args: ArgumentsOf<RawTracepoints[N]>) => ProgramResult,
): KernelProgram<"tpBtf"> {
  return new KernelProgram("tpBtf", name);
}

/** Runs where a function of the kernel begins; `ctx.args` are its arguments. */
export function kprobe<N extends NameOf<KernelFunctions>>(
  name: N,
  _body: (ctx: ArgumentsContext<ArgumentsOf<KernelFunctions[N]>>) => ProgramResult,
): KernelProgram<"kprobe"> {
  return new KernelProgram("kprobe", name);
}

/** Runs where a function of the kernel returns; `ctx.ret` is its result. */
export function kretprobe<N extends NameOf<KernelFunctions>>(
  name: N,
  _body: (ctx: ReturnContext<KernelFunctions[N] extends (...args: never) => infer R ? R : never>) => ProgramResult,
): KernelProgram<"kretprobe"> {
  return new KernelProgram("kretprobe", name);
}

/** Runs where a function of a program or library begins: `uprobe("libc", "malloc", …)`. */
export function uprobe(
  file: string,
  symbol: string,
  _body: (ctx: UprobeContext) => ProgramResult,
): KernelProgram<"uprobe"> {
  return new KernelProgram("uprobe", `${file}:${symbol}`);
}

/** Runs where a function of a program or library returns; `ctx.ret` is its result. */
export function uretprobe(
  file: string,
  symbol: string,
  _body: (ctx: ReturnContext<u64>) => ProgramResult,
): KernelProgram<"uretprobe"> {
  return new KernelProgram("uretprobe", `${file}:${symbol}`);
}

/** Runs at a probe that a program or library has of its own (USDT): `usdt("libc", "libc", "memory_sbrk_more", …)`. */
export function usdt(
  file: string,
  provider: string,
  name: string,
  _body: (ctx: UsdtContext) => ProgramResult,
): KernelProgram<"usdt"> {
  return new KernelProgram("usdt", `${file}:${provider}:${name}`);
}

/** Runs where a function of the kernel begins, with its arguments, whose types the kernel knows. Linux 5.5. */
export function fentry<N extends NameOf<KernelFunctions>>(
  name: N,
  _body: (...args: ArgumentsOf<KernelFunctions[N]>) => ProgramResult,
): KernelProgram<"fentry"> {
  return new KernelProgram("fentry", name);
}

/** Runs where a function of the kernel returns, with its result and then its arguments. Linux 5.5. */
export function fexit<N extends NameOf<KernelFunctions>>(
  name: N,
  _body: (
    ...args: KernelFunctions[N] extends (...args: infer A) => infer R ? [ret: R, ...args: A] : never
  ) => ProgramResult,
): KernelProgram<"fexit"> {
  return new KernelProgram("fexit", name);
}

/** Decides at a hook of the kernel's security modules: 0 allows, a negative error refuses. Linux 5.7 with `bpf` among the modules. */
export function lsm<N extends NameOf<LsmHooks>>(
  hook: N,
  _body: (...args: ArgumentsOf<LsmHooks[N]>) => i32,
): KernelProgram<"lsm"> {
  return new KernelProgram("lsm", hook);
}

/** Runs so many times a second on every CPU, on whatever runs there. */
export function profile(
  options: { readonly hz: number },
  _body: (ctx: PerfEventContext) => ProgramResult,
): KernelProgram<"profile"> {
  return new KernelProgram("profile", "", { schedule: { kind: "profile", hz: options.hz } });
}

/** Runs every so many milliseconds, on one CPU. */
export function interval(
  options: { readonly ms: number },
  _body: (ctx: PerfEventContext) => ProgramResult,
): KernelProgram<"interval"> {
  return new KernelProgram("interval", "", { schedule: { kind: "interval", ms: options.ms } });
}

/** Runs for each thing that an iterator of the kernel shows (`task`), when its link is read. Linux 5.8. */
export function iter<N extends NameOf<Iterators>>(
  name: N,
  _body: (ctx: Readonly<Iterators[N]>) => ProgramResult,
): KernelProgram<"iter"> {
  return new KernelProgram("iter", name);
}

/** Runs when JavaScript says so (`programs.name.run()`), with a value that goes there and back. Linux 5.14. */
export function syscall(body: () => ProgramResult): KernelProgram<"syscall", undefined>;
export function syscall<K, D>(context: Type<K, D>, body: (ctx: K) => ProgramResult): KernelProgram<"syscall", D>;
export function syscall(first: unknown): KernelProgram<"syscall", unknown> {
  return isType(first) ? new KernelProgram("syscall", "", { context: first }) : new KernelProgram("syscall", "");
}

/** What an XDP program may answer. */
export const XDP = { ABORTED: 0, DROP: 1, PASS: 2, TX: 3, REDIRECT: 4 } as const;

/** A packet. */
export interface Packet {
  /** Its bytes. */
  readonly length: u32;
  /** A header at a place of the packet, in place; `undefined` when the packet ends before it does. */
  at<K>(offset: number, type: Type<K, unknown>): K | undefined;
}

/** Decides about each packet that comes to a network interface. */
export function xdp(_body: (packet: Packet) => (typeof XDP)[keyof typeof XDP]): KernelProgram<"xdp"> {
  return new KernelProgram("xdp", "");
}
