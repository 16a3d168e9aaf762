import * as layouts from "../../object/codec/index.ts";
import type { Type } from "./type.ts";

/**
 * What integers are in kernel code: numbers that remember their width and sign. The mark is optional, so plain numbers (literals,
 * results of arithmetic) are taken everywhere, and it is a union, so that widening is allowed and narrowing is not: a `u8` fits
 * an `i32`, a `u64` no `u32`. The compiler checks what TypeScript cannot see, the result of arithmetic.
 */

type U8 = "u8";
type U16 = U8 | "u16";
type U32 = U16 | "u32";
type U64 = U32 | "u64";
type I8 = "i8";
type I16 = I8 | "i16" | U8;
type I32 = I16 | "i32" | U16;
type I64 = I32 | "i64" | U32;

declare const WIDTH: unique symbol;
type Int<B> = number & { readonly [WIDTH]?: B };

/** An unsigned integer of 8 bits in kernel code. */
export type u8 = Int<U8>;
/** An unsigned integer of 16 bits in kernel code; a `u8` is one, too. */
export type u16 = Int<U16>;
/** An unsigned integer of 32 bits in kernel code; narrower unsigned ones are, too. */
export type u32 = Int<U32>;
/** An unsigned integer of 64 bits in kernel code, exact; narrower unsigned ones are, too. */
export type u64 = Int<U64>;
/** A signed integer of 8 bits in kernel code. */
export type i8 = Int<I8>;
/** A signed integer of 16 bits in kernel code; an `i8` and a `u8` are, too. */
export type i16 = Int<I16>;
/** A signed integer of 32 bits in kernel code; narrower ones are, too. */
export type i32 = Int<I32>;
/** A signed integer of 64 bits in kernel code, exact; narrower ones are, too. */
export type i64 = Int<I64>;

/** A type that is also a conversion in kernel code: `u32(x)` keeps the low 32 bits. */
export interface Scalar<K, D> extends Type<K, D> {
  /** The value cut off or extended to the type. */
  (value: number | boolean): K;
}

/** A type that also takes the address of a kernel object as a number: `u64(request)`. */
export interface AddressScalar<K, D> extends Type<K, D> {
  /** The value, or the object's address, as 64 bits. */
  (value: number | boolean | object): K;
}

/** Conversions of values, as the kernel does them; outside of kernel code they serve constants of a module. */
function scalar<K, D>(layout: layouts.ScalarLayout, convert: (value: number) => number | boolean): Scalar<K, D> {
  const type = (value: number | boolean) => convert(Number(value)) as K;
  return Object.assign(type, { layout, size: layout.size }) as Scalar<K, D>;
}

const whole = (value: number) => BigInt(Math.trunc(Number.isFinite(value) ? value : 0));
const unsigned = (bits: number) => (value: number) => Number(BigInt.asUintN(bits, whole(value)));
const signed = (bits: number) => (value: number) => Number(BigInt.asIntN(bits, whole(value)));

/** An unsigned integer of 8 bits; decodes to a number. */
export const u8: Scalar<u8, number> = scalar(layouts.u8, unsigned(8));
/** An unsigned integer of 16 bits; decodes to a number. */
export const u16: Scalar<u16, number> = scalar(layouts.u16, unsigned(16));
/** An unsigned integer of 32 bits; decodes to a number. */
export const u32: Scalar<u32, number> = scalar(layouts.u32, unsigned(32));
/** An unsigned integer of 64 bits; decodes to a `bigint`, always exact. See `u64n`. */
export const u64: AddressScalar<u64, bigint> = scalar(layouts.u64, unsigned(64)) as AddressScalar<u64, bigint>;
/** A signed integer of 8 bits; decodes to a number. */
export const i8: Scalar<i8, number> = scalar(layouts.i8, signed(8));
/** A signed integer of 16 bits; decodes to a number. */
export const i16: Scalar<i16, number> = scalar(layouts.i16, signed(16));
/** A signed integer of 32 bits; decodes to a number. */
export const i32: Scalar<i32, number> = scalar(layouts.i32, signed(32));
/** A signed integer of 64 bits; decodes to a `bigint`, always exact. See `i64n`. */
export const i64: Scalar<i64, bigint> = scalar(layouts.i64, signed(64));
/** Like `u64`, but decodes to a number; a value above 2^53 − 1 is refused instead of being rounded. */
export const u64n: AddressScalar<u64, number> = scalar(layouts.u64n, unsigned(64)) as AddressScalar<u64, number>;
/** Like `i64`, but decodes to a number; a value outside ±(2^53 − 1) is refused instead of being rounded. */
export const i64n: Scalar<i64, number> = scalar(layouts.i64n, signed(64));
/** A byte, 0 or 1; decodes to a boolean. */
export const bool: Scalar<boolean, boolean> = scalar(layouts.bool, (value) => value !== 0);

/** 16 bits in network byte order; in kernel code and in JavaScript the number itself. */
export const be16: Type<u16, number> = { layout: layouts.be16, size: 2 };
/** 32 bits in network byte order; in kernel code and in JavaScript the number itself. */
export const be32: Type<u32, number> = { layout: layouts.be32, size: 4 };
/** 64 bits in network byte order; in kernel code the number itself, decodes to a `bigint`. */
export const be64: Type<u64, bigint> = { layout: layouts.be64, size: 8 };
