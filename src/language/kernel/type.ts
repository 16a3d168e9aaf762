import {
  array as arrayLayout,
  bytes as bytesLayout,
  type Layout,
  str as strLayout,
  struct as structLayout,
} from "../../object/codec/index.ts";
import type { Bytes, Fixed, Str } from "./value.ts";

declare const TYPE: unique symbol;

/**
 * A type as a value: what stands in a map, a record, a parameter. `K` is what it is in kernel code, `D` what it decodes to in
 * JavaScript. Made by `u32`, `str(N)`, `struct({…})` …; the compiler reads the same calls from the source.
 */
export interface Type<K, D> {
  /** How its bytes read and are written in JavaScript. */
  readonly layout: Layout;
  /** Bytes that it takes. */
  readonly size: number;
  /** Type only: never present at run time. */
  readonly [TYPE]?: readonly [K, D];
}

/** What a type is in kernel code. */
export type Kernel<T> = T extends Type<infer K, unknown> ? K : never;
/** What a type decodes to in JavaScript. */
export type Decoded<T> = T extends Type<unknown, infer D> ? D : never;

/** Any type. */
// biome-ignore lint/suspicious/noExplicitAny: any type; what it is made of is recovered by Kernel and Decoded.
export type AnyType = Type<any, any>;

/** Text in `length` bytes with its closing NUL (`char name[length]`). */
export function str<N extends number>(length: N): Type<Str<N>, string> {
  return ofLayout(strLayout(length));
}

/** Raw bytes of a fixed length. */
export function bytes<N extends number>(length: N): Type<Bytes<N>, Uint8Array> {
  return ofLayout(bytesLayout(length));
}

/** `length` elements one behind the other. */
export function array<K, D, N extends number>(element: Type<K, D>, length: N): Type<Fixed<K, N>, D[]> {
  return ofLayout(arrayLayout(element.layout, length));
}

/** The fields of a struct, in their order. */
export type Fields = Readonly<Record<string, AnyType>>;

/**
 * A struct with C's layout: each field at the next multiple of its alignment. Bytes between fields are always written as zero.
 * In kernel code a value of it is written `{ a: 1, b: x }`, all fields.
 */
export function struct<const F extends Fields>(
  fields: F,
): Type<{ -readonly [P in keyof F]: Kernel<F[P]> }, { -readonly [P in keyof F]: Decoded<F[P]> }> {
  const layouts = Object.entries(fields).map(([name, { layout }]) => [name, layout] as const);
  return ofLayout(structLayout(Object.fromEntries(layouts)));
}

function ofLayout<K, D>(layout: Layout): Type<K, D> {
  return { layout, size: layout.size };
}

/** Whether a value is a type. */
export function isType(value: unknown): value is AnyType {
  return (typeof value === "object" || typeof value === "function") && value !== null && "layout" in value;
}
