import type { CapturedBytes, DecodedCall } from "./model.ts";

/** The low 32 bits of an argument, unsigned. */
export function low(call: DecodedCall, arg: number): number {
  return call.args[2 * arg] as number;
}

export function high(call: DecodedCall, arg: number): number {
  return call.args[2 * arg + 1] as number;
}

/** The low 32 bits as the C type `int`. */
export function int(call: DecodedCall, arg: number): number {
  return low(call, arg) | 0;
}

/** The argument as an unsigned 64-bit number; above 2^53 it is rounded. */
export function unsigned(call: DecodedCall, arg: number): number {
  return high(call, arg) * 0x100000000 + low(call, arg);
}

/** The argument as the C type `long`; beyond ±2^53 it is rounded. */
export function signed(call: DecodedCall, arg: number): number {
  return (high(call, arg) | 0) * 0x100000000 + low(call, arg);
}

export function isNull(call: DecodedCall, arg: number): boolean {
  return low(call, arg) === 0 && high(call, arg) === 0;
}

/** The argument in hexadecimal, exactly. */
export function hex(call: DecodedCall, arg: number): string {
  const hi = high(call, arg);
  const lo = low(call, arg);
  return hi === 0 ? `0x${lo.toString(16)}` : `0x${hi.toString(16)}${lo.toString(16).padStart(8, "0")}`;
}

/** An address as people read it. */
export function pointer(call: DecodedCall, arg: number): string {
  return isNull(call, arg) ? "NULL" : hex(call, arg);
}

/** What was copied for an argument; undefined when nothing was, or the memory could not be read. */
export function captured(call: DecodedCall, arg: number, index = 0): CapturedBytes | undefined {
  for (const capture of call.captures) {
    if (capture.arg === arg && capture.index === index && !capture.fault) return capture;
  }
  return undefined;
}

export function failed(call: DecodedCall): boolean {
  return call.ret < 0 && call.ret >= -4095;
}

/** A view of captured bytes, when there are at least `size`. */
export function viewOf(capture: CapturedBytes | undefined, size: number): DataView | undefined {
  if (capture === undefined || capture.bytes.length < size) return undefined;
  return new DataView(capture.bytes.buffer, capture.bytes.byteOffset, capture.bytes.byteLength);
}
