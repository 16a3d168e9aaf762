import { I64, type Int, U64 } from "./types.ts";

/** A number as it is written, and what the checker knows of it. */
export interface Num {
  readonly text: string;
  readonly bits: Int["bits"];
  readonly signed: boolean;
  /** A literal, or what arithmetic gave: it goes where it is proven to fit. Others go where their type does. */
  readonly plain: boolean;
  readonly literal?: bigint;
  /** What can be proven of it. */
  readonly lo: bigint;
  readonly hi: bigint;
  /** Of several types: it is converted before it goes anywhere. */
  readonly mixed?: true;
}

export function least({ bits, signed }: { bits: number; signed: boolean }): bigint {
  return signed ? -(1n << BigInt(bits - 1)) : 0n;
}

export function most({ bits, signed }: { bits: number; signed: boolean }): bigint {
  return (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
}

export function typed(text: string, type: Int): Num {
  return { text, bits: type.bits, signed: type.signed, plain: false, lo: least(type), hi: most(type) };
}

export function literal(value: bigint, text = String(value)): Num {
  return { text, bits: 64, signed: value < 0n, plain: true, literal: value, lo: value, hi: value };
}

/** What arithmetic gave, with its range when that does not wrap. */
export function plain(text: string, signed: boolean, lo?: bigint, hi?: bigint): Num {
  const type = signed ? I64 : U64;
  const [a, b] = [lo ?? least(type), hi ?? most(type)];
  const wraps = a < least(type) || b > most(type);
  return { text, bits: 64, signed, plain: true, lo: wraps ? least(type) : a, hi: wraps ? most(type) : b };
}

/** Whether two numbers are signed when they meet; undefined where no type holds both. */
export function commonSign(left: Num, right: Num): boolean | undefined {
  if (left.signed === right.signed) return left.signed;
  const [signed, unsigned] = left.signed ? [left, right] : [right, left];
  if (unsigned.literal !== undefined && unsigned.literal <= most(I64)) return true;
  if (signed.literal !== undefined && signed.literal >= 0n) return false;
  return unsigned.bits < 64 ? true : undefined;
}

/** Whether it goes into the type as it is. */
export function fits(num: Num, type: Int): boolean {
  if (num.mixed) return false;
  if (num.plain) return num.lo >= least(type) && num.hi <= most(type);
  if (num.signed === type.signed) return type.bits >= num.bits;
  return type.signed && type.bits > num.bits;
}

export function lesser(a: bigint, b: bigint): bigint {
  return [a, b].sort((x, y) => (x < y ? -1 : 1))[0] as bigint;
}

export function greater(a: bigint, b: bigint): bigint {
  return lesser(a, b) === a ? b : a;
}
