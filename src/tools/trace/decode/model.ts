import type { FdTable } from "./fd-table.ts";

/** What the kernel side copies for one argument of a call. At most four per call; the plan is made before any call. */
export interface Capture {
  readonly arg: number;
  readonly when: "enter" | "exit";
  readonly kind: "string" | "bytes" | "argv" | "iov" | "msghdr";
  /** Of `bytes`: how many; a constant, an argument's or the result's value times `scale`, or the u32 behind an argument. */
  readonly length?:
    | { readonly const: number }
    | { readonly arg: number; readonly scale?: number }
    | { readonly ret: true; readonly scale?: number }
    | { readonly deref: number };
  /** Of `exit`: also of a call that failed. A plan makes all its captures of the exit then, or none. */
  readonly evenFailed?: true;
  /** No more bytes than this are copied (256 at most). */
  readonly max?: number;
}

/**
 * What was copied. A string has its closing NUL among the bytes. Parts (`index`) of an iov: 0 the vector, 2 the first
 * buffer; of a msghdr: 0 the header, 1 the name, 2 the first buffer; of an argv: the number of the string.
 */
export interface CapturedBytes {
  readonly arg: number;
  readonly index: number;
  readonly bytes: Uint8Array;
  /** The true length of what `bytes` is the beginning of. */
  readonly length: number;
  readonly truncated: boolean;
  /** The memory could not be read, not even when the call returned. */
  readonly fault: boolean;
}

/** A call as the decoder wants it. */
export interface DecodedCall {
  readonly nr: number;
  readonly name: string;
  /** Six arguments, each as low and high word. */
  readonly args: Uint32Array;
  readonly ret: number;
  /** It never returned: its thread ended, or the tracing did. */
  readonly unfinished: boolean;
  readonly captures: readonly CapturedBytes[];
  readonly files: FdTable;
  /** A 32-bit program's call: its numbers and structures are others. */
  readonly compat: boolean;
}

/** How one argument is captured and shown. */
export interface ArgumentType {
  readonly captures?: (arg: number) => Capture[];
  /** As people read it. */
  text(call: DecodedCall, arg: number): string;
  /** As programs read it; the text when left out. */
  json?(call: DecodedCall, arg: number): unknown;
}
