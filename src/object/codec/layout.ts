import { CodecError } from "./codec-error.ts";

/**
 * How bytes become values. A layout says where each field of a kernel-side value stands and what it reads as; it follows
 * C's rules for size and alignment (System V ABI), so a `struct({...})` matches the same struct in a C program.
 */

/** A scalar of the eBPF machine, in the machine's byte order but for `be16`, `be32`, `be64`: those are as networks have them. */
export interface ScalarLayout<T = number | bigint | boolean> {
  readonly kind:
    | "u8"
    | "u16"
    | "u32"
    | "i8"
    | "i16"
    | "i32"
    | "u64"
    | "i64"
    | "u64n"
    | "i64n"
    | "be16"
    | "be32"
    | "be64"
    | "bool";
  readonly size: 1 | 2 | 4 | 8;
  readonly align: number;
  /** Type only: never present at run time. */
  readonly value?: T;
}

/** Raw bytes of a fixed length; read as a fresh `Uint8Array`. */
export interface BytesLayout {
  readonly kind: "bytes";
  readonly size: number;
  readonly align: 1;
  readonly value?: Uint8Array;
}

/** A character array holding a NUL-terminated UTF-8 string (`char comm[16]`). */
export interface StringLayout {
  readonly kind: "str";
  readonly size: number;
  readonly align: 1;
  readonly value?: string;
}

/** A fixed-length array; reads as an ordinary JavaScript array. */
export interface ArrayLayout<L extends Layout = Layout> {
  readonly kind: "array";
  readonly size: number;
  readonly align: number;
  readonly length: number;
  readonly element: L;
  readonly value?: Infer<L>[];
}

/** A bit-field: a number, or a bigint when it has more than 53 bits. */
export interface BitsLayout {
  readonly kind: "bits";
  /** Bytes that it has a part in. */
  readonly size: number;
  readonly align: 1;
  /** Where it begins in the first of them, from the lowest bit. */
  readonly shift: number;
  readonly bits: number;
  readonly signed: boolean;
  /** Whether it reads as a bigint. */
  readonly wide: boolean;
  readonly value?: number | bigint;
}

/** A field of a struct with its place. */
export interface FieldLayout {
  readonly name: string;
  readonly offset: number;
  readonly layout: Layout;
  /** The union it is a member of, where its struct has such: of the fields with this number one is enough when writing. */
  readonly choice?: number;
}

/** A struct; reads as an object with the fields in order. */
export interface StructLayout<F extends Readonly<Record<string, unknown>> = Readonly<Record<string, unknown>>> {
  readonly kind: "struct";
  readonly size: number;
  readonly align: number;
  readonly fields: readonly FieldLayout[];
  /** Some fields lie over each other, or share bytes: a union, or a struct with unions or bit-fields among its members. */
  readonly overlapping?: true;
  readonly value?: { -readonly [K in keyof F]: F[K] };
}

/**
 * How the bytes of a value read and are written: made by `u32`, `str`, `array`, `struct` …, or from BTF by `layoutOf`.
 */
// biome-ignore lint/suspicious/noExplicitAny: a layout of anything; the value type is recovered by Infer.
export type Layout = ScalarLayout<any> | BitsLayout | BytesLayout | StringLayout | ArrayLayout<any> | StructLayout<any>;

/** The JavaScript type a layout reads as. */
export type Infer<L> = L extends { readonly value?: infer V } ? Exclude<V, undefined> : never;

function scalar<T>(kind: ScalarLayout["kind"], size: 1 | 2 | 4 | 8): ScalarLayout<T> {
  return { kind, size, align: size };
}

/** An unsigned 8-bit integer as a number, 0 to 255. */
export const u8: ScalarLayout<number> = scalar("u8", 1);
/** An unsigned 16-bit integer as a number, 0 to 65,535. */
export const u16: ScalarLayout<number> = scalar("u16", 2);
/** An unsigned 32-bit integer as a number, 0 to 2^32 − 1. */
export const u32: ScalarLayout<number> = scalar("u32", 4);
/** A signed 8-bit integer as a number, −128 to 127. */
export const i8: ScalarLayout<number> = scalar("i8", 1);
/** A signed 16-bit integer as a number, −32,768 to 32,767. */
export const i16: ScalarLayout<number> = scalar("i16", 2);
/** A signed 32-bit integer as a number, −2^31 to 2^31 − 1. */
export const i32: ScalarLayout<number> = scalar("i32", 4);
/** A byte as a boolean: false for 0, true for anything else; written as 0 or 1. */
export const bool: ScalarLayout<boolean> = scalar("bool", 1);
/** An unsigned 64-bit integer as a `bigint`: always exact. */
export const u64: ScalarLayout<bigint> = scalar("u64", 8);
/** A signed 64-bit integer as a `bigint`: always exact. */
export const i64: ScalarLayout<bigint> = scalar("i64", 8);
/** An unsigned 64-bit integer as a number; reading one above 2^53 − 1 throws a CodecError instead of rounding. */
export const u64n: ScalarLayout<number> = scalar("u64n", 8);
/** A signed 64-bit integer as a number; reading one outside ±(2^53 − 1) throws a CodecError instead of rounding. */
export const i64n: ScalarLayout<number> = scalar("i64n", 8);

/** An unsigned 16-bit integer in network byte order (big endian) as a number, 0 to 65,535: a port. */
export const be16: ScalarLayout<number> = scalar("be16", 2);
/** An unsigned 32-bit integer in network byte order (big endian) as a number, 0 to 2^32 − 1: an IPv4 address. */
export const be32: ScalarLayout<number> = scalar("be32", 4);
/** An unsigned 64-bit integer in network byte order (big endian) as a `bigint`. */
export const be64: ScalarLayout<bigint> = scalar("be64", 8);

const UNSIGNED = { 1: u8, 2: u16, 4: u32, 8: u64 } as const;
const SIGNED = { 1: i8, 2: i16, 4: i32, 8: i64 } as const;

/** An integer of so many bytes in the machine's order; undefined for a size that none has. */
export function intLayout(size: ScalarLayout["size"], signed: boolean): ScalarLayout;
export function intLayout(size: number, signed: boolean): ScalarLayout | undefined;
export function intLayout(size: number, signed: boolean): ScalarLayout | undefined {
  const sizes: Readonly<Record<number, ScalarLayout>> = signed ? SIGNED : UNSIGNED;
  return sizes[size];
}

/** `length` raw bytes, copied out on each read. */
export function bytes(length: number): BytesLayout {
  return { kind: "bytes", size: checkLength(length, "bytes"), align: 1 };
}

/** `char name[length]`: text up to the first NUL, or the whole field when there is none. */
export function str(length: number): StringLayout {
  return { kind: "str", size: checkLength(length, "str"), align: 1 };
}

/** `element name[length]`. */
export function array<L extends Layout>(element: L, length: number): ArrayLayout<L> {
  checkLength(length, "array");
  return { kind: "array", size: element.size * length, align: element.align, length, element };
}

/**
 * A struct with C's padding: each field at the next multiple of its alignment, the whole padded to the largest one.
 * Throws a CodecError for a name like `"0"`: JavaScript puts such keys before all others, whatever order they have here.
 */
export function struct<const F extends Readonly<Record<string, Layout>>>(
  fields: F,
): StructLayout<{ readonly [K in keyof F]: Infer<F[K]> }> {
  const placed: FieldLayout[] = [];
  let offset = 0;
  let align = 1;
  for (const [name, layout] of Object.entries(fields)) {
    if (/^(0|[1-9]\d*)$/.test(name) && Number(name) < 2 ** 32 - 1) {
      throw new CodecError(`A field of a struct cannot be called "${name}": such keys lose their place in an object.`);
    }
    offset = roundUp(offset, layout.align);
    placed.push({ name, offset, layout });
    offset += layout.size;
    align = Math.max(align, layout.align);
  }
  return { kind: "struct", size: roundUp(offset, align), align, fields: placed };
}

/**
 * A union: all members begin at the same place. It reads as an object with every member; one member is enough to write it,
 * and when several are given they must agree. What a member leaves of the union's bytes is zero.
 */
export function union<const F extends Readonly<Record<string, Layout>>>(
  members: F,
): StructLayout<{ readonly [K in keyof F]?: Infer<F[K]> }> {
  const layouts = Object.values(members);
  const align = Math.max(1, ...layouts.map((layout) => layout.align));
  const size = roundUp(Math.max(0, ...layouts.map((layout) => layout.size)), align);
  const fields = struct(members).fields.map(({ name, layout }) => ({ name, offset: 0, layout, choice: 0 }));
  return { kind: "struct", size, align, fields, overlapping: true };
}

function checkLength(length: number, kind: string): number {
  if (Number.isSafeInteger(length) && length >= 0) return length;
  throw new CodecError(`${length} is no length of ${kind}: it takes a whole number from 0 on.`);
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Whether there is a text in it. */
export function hasText(layout: Layout): boolean {
  if (layout.kind === "array") return hasText(layout.element);
  return layout.kind === "str" || (layout.kind === "struct" && layout.fields.some((field) => hasText(field.layout)));
}
