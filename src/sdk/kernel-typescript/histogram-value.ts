import { quantile } from "./aggregate-values.ts";

/** How many values lie from `from` up to, not including, `to`; an end that is undefined is open. */
export interface HistogramBucket {
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  readonly count: number;
}

/** How values are spread, as a histogram had it when it was read. */
export class HistogramValue {
  /** Buckets that hold something, in order. */
  readonly buckets: readonly HistogramBucket[];
  /** How many values there are. */
  readonly count: number;

  constructor(buckets: readonly HistogramBucket[]) {
    this.buckets = buckets.filter(({ count }) => count > 0).sort((a, b) => (lowOf(a) < lowOf(b) ? -1 : 1));
    this.count = this.buckets.reduce((sum, { count }) => sum + count, 0);
  }

  /**
   * What `percent` of all values do not exceed (`p(50)` is the median), as near as the buckets tell: values are taken to lie evenly
   * in theirs, and a bucket that is open counts as its end. `undefined` where there are no values. Throws RangeError for what is
   * not from 0 to 100.
   */
  p(percent: number): number | undefined {
    if (!(percent >= 0 && percent <= 100)) throw new RangeError(`${percent} is no percentage: it is from 0 to 100.`);
    const found = quantile(this.buckets, percent / 100);
    return found === undefined ? undefined : Number(found.value);
  }
}

function lowOf({ from, to }: HistogramBucket): bigint {
  return from ?? (to === undefined ? 0n : to - 1n);
}
