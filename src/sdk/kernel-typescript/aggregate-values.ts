/** What adds up to one value for each key. */
export type AggregateKind = "counter" | "sum" | "avg" | "min" | "max";

interface AverageParts {
  readonly sum: bigint;
  readonly count: bigint;
}

/** The greatest i64: a minimum where nothing was recorded. */
export const GREATEST = (1n << 63n) - 1n;
/** The least i64: a maximum where nothing was recorded. */
export const LEAST = -(1n << 63n);

/** What values of an aggregation's map, one of each CPU, are together, exactly; undefined where nothing was recorded. */
export function joinValues(kind: AggregateKind, values: readonly unknown[]): number | bigint | undefined {
  switch (kind) {
    case "counter":
    case "sum":
      return sumOf(values as bigint[]);
    case "avg": {
      const parts = values as readonly AverageParts[];
      const count = sumOf(parts.map((part) => part.count));
      return count === 0n ? undefined : Number(sumOf(parts.map((part) => part.sum))) / Number(count);
    }
    case "min":
      return extreme(values as bigint[], GREATEST, (a, b) => a < b);
    case "max":
      return extreme(values as bigint[], LEAST, (a, b) => a > b);
  }
}

function sumOf(values: readonly bigint[]): bigint {
  return values.reduce((sum, value) => sum + value, 0n);
}

function extreme(
  values: readonly bigint[],
  nothing: bigint,
  better: (a: bigint, b: bigint) => boolean,
): bigint | undefined {
  const found = values.reduce((best, value) => (better(value, best) ? value : best), nothing);
  return found === nothing ? undefined : found;
}

/** The key of a histogram's map: that of the histogram, and the bucket's number. */
export interface BucketKey {
  readonly key?: unknown;
  readonly bucket: number;
}

/** What a histogram's map has for one key. */
export interface KeyBuckets {
  readonly key: unknown;
  /** How many values are in each bucket, by its number. */
  readonly counts: ReadonlyMap<number, number>;
}

/** The entries of a histogram's map, by `keyText` of their keys. */
export function bucketsByKey(entries: Iterable<readonly [BucketKey, bigint]>): ReadonlyMap<string, KeyBuckets> {
  const found = new Map<string, KeyBuckets & { readonly counts: Map<number, number> }>();
  for (const [{ key, bucket }, count] of entries) {
    const text = keyText(key);
    const one = found.get(text) ?? { key, counts: new Map<number, number>() };
    found.set(text, one);
    one.counts.set(bucket, Number(count));
  }
  return found;
}

/** Equal for equal keys. */
export function keyText(key: unknown): string {
  const text: string | undefined = JSON.stringify(key, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value instanceof Uint8Array ? [...value] : value,
  );
  return text ?? "";
}

/**
 * The value that a part of all values (from 0 to 1) do not exceed, as near as buckets in their order tell: values are taken to lie
 * evenly in theirs, and one that is open counts as its end. `exact` where it holds one value only. Undefined without values.
 */
export function quantile(
  buckets: readonly { readonly from: bigint | undefined; readonly to: bigint | undefined; readonly count: number }[],
  part: number,
): { readonly value: bigint; readonly exact: boolean } | undefined {
  const rank = Math.max(1, Math.ceil(part * buckets.reduce((sum, { count }) => sum + count, 0)));
  let before = 0;
  for (const { from, to, count } of buckets) {
    if (before + count < rank) {
      before += count;
      continue;
    }
    if (from === undefined || to === undefined) return { value: from ?? to ?? 0n, exact: false };
    const inside = (Number(to - from) * (rank - before - 0.5)) / count;
    return { value: from + BigInt(Math.floor(inside)), exact: to === from + 1n };
  }
  return undefined;
}
