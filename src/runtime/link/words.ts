/** Numbers of 64 bits one after the other, as the kernel takes lists of addresses, offsets and cookies. */
export function wordBytes(numbers: Iterable<number | bigint>): Uint8Array {
  return new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer);
}
