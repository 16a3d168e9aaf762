import type { i64, u64 } from "./scalar.ts";
import type { Fixed } from "./value.ts";

/**
 * Interfaces that a project fills with what it names: `skep types` writes the declarations from the kernel's own types, so that
 * names and fields are completed and mistakes found by the editor.
 */

/** Tracepoints by `category:name`, with the fields of their records. Filled by `skep types`. */
export interface Tracepoints {}

/** Raw tracepoints by name, as functions of their arguments. Filled by `skep types`. */
export interface RawTracepoints {}

/** The kernel's functions by name, with their arguments and results. Filled by `skep types`. */
export interface KernelFunctions {}

/** The hooks of the kernel's security modules by name, with their arguments. Filled by `skep types`. */
export interface LsmHooks {}

/** What the kernel's iterators show, by their names (`task`), with their contexts. Filled by `skep types`. */
export interface Iterators {}

/** Structs of the kernel by name. Filled by `skep types`. */
export interface KernelTypes {}

/** A struct of the kernel that this project has no declaration of: run `skep types`. */
export interface NotDeclared<N extends string> {
  /** Type only: never present at run time. */
  readonly " runSkepTypes"?: N;
}

/** A struct of the kernel by name. */
export type KernelType<N extends string> = N extends keyof KernelTypes ? KernelTypes[N] : NotDeclared<N>;

/** The names that such an interface has. */
export type NameOf<T> = Extract<keyof T, string>;

/** Arguments of a function as its type has them. */
export type ArgumentsOf<F> = F extends (...args: infer A) => unknown ? A : never;

/** What a kprobe or a raw tracepoint finds: the arguments by number. */
export interface ArgumentsContext<A> {
  /** The arguments, from 0 on. */
  readonly args: Readonly<A>;
}

/** What a kretprobe finds. */
export interface ReturnContext<R> {
  /** What the function returned. */
  readonly ret: R;
}

/** What a uprobe finds: registers that hold arguments. */
export type UprobeContext = ArgumentsContext<Fixed<u64, 6>>;

/** What a USDT probe finds: its arguments, sign-extended to 64 bits. */
export type UsdtContext = ArgumentsContext<Fixed<i64, 12>>;

/** What a `profile` or `interval` program finds. */
export interface PerfEventContext {
  /** Nanoseconds, or events, from one run to the next. */
  readonly sample_period: u64;
  /** The address that an event of memory is about. */
  readonly addr: u64;
}
