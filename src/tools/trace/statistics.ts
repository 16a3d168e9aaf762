import { BUCKETS, bucketStart, OTHER_PLAN, STATS_SIZE, Stats } from "./kernel/index.ts";

/** What `-c` tells of one system call. Times in nanoseconds. */
export interface CallStatistics {
  readonly nr: number;
  readonly calls: number;
  readonly errors: number;
  readonly total: number;
  readonly average: number;
  /** Median and 99th percentile, from a histogram of quarter powers of two: within 12 %. */
  readonly p50: number;
  readonly p99: number;
  /** Exact. */
  readonly max: number;
  /** Calls per bucket (`bucketStart`). */
  readonly histogram: readonly number[];
  /** Calls that did not return before their thread ended (exit_group, or killed inside); part of `calls`. */
  readonly unfinished: number;
}

/** Adds up the values of all CPUs; undefined when the call was never made. */
export function sumStatistics(nr: number, perCpu: readonly Uint8Array[]): CallStatistics | undefined {
  const histogram = new Array<number>(BUCKETS).fill(0);
  let errors = 0;
  let total = 0;
  let max = 0;
  let unfinished = 0;
  let finished = 0;
  for (const value of perCpu) {
    const view = new DataView(value.buffer, value.byteOffset, STATS_SIZE);
    errors += Number(view.getBigUint64(Stats.errors, true));
    total += Number(view.getBigUint64(Stats.total, true));
    max = Math.max(max, Number(view.getBigUint64(Stats.max, true)));
    unfinished += Number(view.getBigUint64(Stats.unfinished, true));
    for (let i = 0; i < BUCKETS; i++) {
      const count = Number(view.getBigUint64(Stats.histogram + 8 * i, true));
      histogram[i] = (histogram[i] as number) + count;
      finished += count;
    }
  }
  const calls = finished + unfinished;
  if (calls === 0) return undefined;
  return {
    nr: nr === OTHER_PLAN ? -1 : nr,
    calls,
    errors,
    total,
    average: finished === 0 ? 0 : total / finished,
    p50: Math.min(max, percentile(histogram, finished, 0.5)),
    p99: Math.min(max, percentile(histogram, finished, 0.99)),
    max,
    histogram,
    unfinished,
  };
}

/** The duration below which a share of the calls stayed, interpolated within its bucket. */
export function percentile(histogram: readonly number[], calls: number, share: number): number {
  const wanted = share * calls;
  let before = 0;
  for (let i = 0; i < histogram.length; i++) {
    const here = histogram[i] as number;
    if (here > 0 && before + here >= wanted) {
      const start = bucketStart(i);
      const end = i + 1 < 4 || i >= 8 ? bucketStart(i + 1) : 4;
      return start + ((wanted - before) / here) * (end - start);
    }
    before += here;
  }
  return 0;
}
