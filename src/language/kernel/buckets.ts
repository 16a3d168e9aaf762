/**
 * The buckets of histograms, as compiled programs count into them and as everybody reads them.
 *
 * Logarithmic ones keep `bits` bits of a value below its highest one: with 0 a bucket is a power of two (0; 1; 2–3; 4–7 …), with
 * 2 each power is cut into four. Values below 2^bits have a bucket each. Linear ones count what is below `min` in bucket
 * 0, then one bucket for each step, and what is `max` or above in the last.
 */

/** How many buckets 64-bit values have; the bucket with this number holds negative values. */
export function bucketCount(bits: number): number {
  return (65 - bits) << bits;
}

/** The bucket of a value; negative ones share one behind all others. */
export function bucketOf(value: bigint, bits: number): number {
  if (value < 0n) return bucketCount(bits);
  if (value < 1n << BigInt(bits)) return Number(value);
  const highest = value.toString(2).length - 1;
  const exponent = highest - bits;
  const sub = Number((value >> BigInt(exponent)) & ((1n << BigInt(bits)) - 1n));
  return ((exponent + 1) << bits) + sub;
}

/** The values of a bucket, from `from` up to, not including, `to`. The bucket of negative values ends at 0. */
export function bucketRange(bucket: number, bits: number): { readonly from: bigint; readonly to: bigint } {
  if (bucket >= bucketCount(bits)) return { from: -(1n << 63n), to: 0n };
  const cut = 1 << bits;
  if (bucket < cut) return { from: BigInt(bucket), to: BigInt(bucket) + 1n };
  const exponent = BigInt((bucket >> bits) - 1);
  const from = BigInt(cut + (bucket & (cut - 1))) << exponent;
  return { from, to: from + (1n << exponent) };
}

/** What the buckets of a linear histogram are made of. */
export interface LinearBuckets {
  readonly min: bigint;
  readonly max: bigint;
  readonly step: bigint;
}

/** The bucket of a value in a linear histogram. */
export function linearBucketOf(value: bigint, { min, max, step }: LinearBuckets): number {
  if (value < min) return 0;
  if (value >= max) return linearBucketCount({ min, max, step }) - 1;
  return Number((value - min) / step) + 1;
}

/** How many buckets a linear histogram has, with those below and above. */
export function linearBucketCount({ min, max, step }: LinearBuckets): number {
  return Number((max - min + step - 1n) / step) + 2;
}

/** The values of a bucket; undefined ends are open. */
export function linearBucketRange(
  bucket: number,
  { min, max, step }: LinearBuckets,
): { readonly from: bigint | undefined; readonly to: bigint | undefined } {
  if (bucket <= 0) return { from: undefined, to: min };
  const from = min + BigInt(bucket - 1) * step;
  if (from >= max) return { from: max, to: undefined };
  const to = from + step;
  return { from, to: to < max ? to : max };
}
