/** Two halves of 32 bits as one number of 64, unsigned. */
export function joined(high: number, low: number): bigint {
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
}

/** The upper 32 bits of a number of 64, signed, as registers and regions hold them. */
export function highHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value >> 32n));
}

/** The lower 32 bits, signed. */
export function lowHalf(value: bigint): number {
  return Number(BigInt.asIntN(32, value));
}

/** Fills bytes with a whole number in a byte order. */
export function putInteger(bytes: Uint8Array, number: bigint, little: boolean): void {
  const { length } = bytes;
  for (let i = 0; i < length; i++) bytes[little ? i : length - 1 - i] = Number((number >> BigInt(8 * i)) & 0xffn);
}
