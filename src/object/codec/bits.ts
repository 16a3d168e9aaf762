import { CodecError } from "./codec-error.ts";
import type { BitsLayout } from "./layout.ts";
import type { Memory } from "./memory.ts";

/** Up to this many bits a bit-field reads as a number: more could not be told exactly, so they read as a bigint. */
const EXACT_BITS = 53;

/** The bit-field at a byte offset of a memory. */
export function readBits({ shift, bits, size, signed, wide }: BitsLayout, m: Memory, o: number): number | bigint {
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(m.u8[o + i] as number);
  value >>= BigInt(shift);
  value = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  return wide ? value : Number(value);
}

/** Writes a bit-field; the other bits of its bytes stay. */
export function writeBits(layout: BitsLayout, m: Memory, o: number, value: unknown, path: string): void {
  const { shift, bits, size, signed, wide } = layout;
  const isOne = wide ? typeof value === "bigint" : typeof value === "number" && Number.isInteger(value);
  const number = isOne ? BigInt(value as number | bigint) : 0n;
  if (!isOne || (signed ? BigInt.asIntN(bits, number) : BigInt.asUintN(bits, number)) !== number) {
    const shown = typeof value === "bigint" ? `${value}n` : String(value);
    throw new CodecError(
      `${path} is ${shown} (${typeof value}), which does not fit a ${signed ? "signed " : ""}bit-field of ${bits} bits.`,
    );
  }
  let mask = ((1n << BigInt(bits)) - 1n) << BigInt(shift);
  let placed = BigInt.asUintN(bits, number) << BigInt(shift);
  for (let i = 0; i < size; i++) {
    const bit = Number(mask & 0xffn);
    m.u8[o + i] = ((m.u8[o + i] as number) & ~bit) | Number(placed & 0xffn);
    mask >>= 8n;
    placed >>= 8n;
  }
}

/**
 * A bit-field of `bits` bits that begins `bitOffset` bits after some byte (counted from its lowest bit, as compilers for
 * little-endian machines place them); the byte it really begins in, and its layout from there.
 */
export function bitsAt(bitOffset: number, bits: number, signed: boolean): { offset: number; layout: BitsLayout } {
  const offset = Math.floor(bitOffset / 8);
  const shift = bitOffset % 8;
  const size = Math.ceil((shift + bits) / 8);
  return { offset, layout: { kind: "bits", size, align: 1, shift, bits, signed, wide: bits > EXACT_BITS } };
}
