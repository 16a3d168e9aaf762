/**
 * Values of kernel code that are no integers: texts, arrays, addresses. Marks are optional, so literals are taken everywhere.
 */
import type { u8 } from "./scalar.ts";

declare const LENGTH: unique symbol;
/** A text in kernel code: UTF-8 in `N` bytes with its closing NUL. Texts of other lengths are other types; literals fit all. */
export type Str<N extends number = number> = string & { readonly [LENGTH]?: N | undefined };

/** The indices of short arrays: with these an element is read without `undefined`, however strict the project is. */
type Counted<N extends number, A extends 0[] = []> = A["length"] extends N
  ? A
  : A["length"] extends 64
    ? [0]
    : Counted<N, [...A, 0]>;
type Elements<K, N extends number> = { [P in Exclude<keyof Counted<N>, keyof []>]: K };

interface FixedLength<K, N extends number> {
  [index: number]: K;
  readonly length: N;
  /** `for (const element of array)`. */
  [Symbol.iterator](): IterableIterator<K>;
}

/**
 * An array of fixed length in kernel code, written `[1, 2, 3]`. The compiler wants to know that an index is below `length`. (In
 * projects with `noUncheckedIndexedAccess` an element at an index that is no literal is read as `list[i]!`.)
 */
export type Fixed<K, N extends number> = FixedLength<K, N> & Elements<K, N>;

/** Raw bytes in kernel code. */
export type Bytes<N extends number> = Fixed<u8, N>;

declare const ADDRESS: unique symbol;
/** An address in the memory of the process at work: `userStr` and `readUser` take it, nothing else does. */
export type UserPtr<T = unknown> = number & { readonly [ADDRESS]?: readonly ["user", T] };
/** An address in the kernel's memory whose type tells no struct: `kernelStr` and `readKernel` take it. */
export type KernelPtr<T = unknown> = number & { readonly [ADDRESS]?: readonly ["kernel", T] };
declare const TARGET: unique symbol;
/** An address of which nothing tells whose memory it is in: the functions for the process's and for the kernel's take it. */
export type Address<T = unknown> = number & { readonly [ADDRESS]?: never; readonly [TARGET]?: T };
