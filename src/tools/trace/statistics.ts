import { BUCKETS, bucketOf, bucketStart, OTHER_PLAN, STATS_SIZE, Stats } from "./kernel/index.ts";

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
  /** Calls that a seccomp filter answered, so that they took no time; part of `calls`. */
  readonly refused: number;
}

/** Sums of one system call from which its statistics are made. */
interface Sums {
  errors: number;
  total: number;
  max: number;
  unfinished: number;
  refused: number;
  readonly histogram: number[];
}

const noSums = (): Sums => ({
  errors: 0,
  total: 0,
  max: 0,
  unfinished: 0,
  refused: 0,
  histogram: new Array(BUCKETS).fill(0),
});

/** What a call must tell to be counted. */
interface CountedCall {
  readonly nr: number;
  readonly ret: number;
  readonly ns: number;
  readonly unfinished: boolean;
  readonly resumed: boolean;
  readonly refused: boolean;
  readonly compat: boolean;
}

/** Statistics of calls that were delivered one by one: what `-C` shows after them. Same rows as the kernel's own. */
export class CallCounter {
  readonly #sums = new Map<number, Sums>();

  add(call: CountedCall): void {
    // As the kernel side counts them: 32-bit programs' calls, and numbers no table has, in one row.
    const nr = call.compat || call.nr > OTHER_PLAN ? OTHER_PLAN : call.nr;
    let sums = this.#sums.get(nr);
    if (sums === undefined) {
      sums = noSums();
      this.#sums.set(nr, sums);
    }
    // A call that was under way before the tracing has no known duration; like the kernel side, it is left out.
    if (call.resumed) return;
    if (call.unfinished) {
      sums.unfinished++;
      return;
    }
    if (call.ret < 0 && call.ret >= -4095) sums.errors++;
    if (call.refused) {
      sums.refused++;
      return;
    }
    sums.total += call.ns;
    if (call.ns > sums.max) sums.max = call.ns;
    const bucket = bucketOf(call.ns);
    sums.histogram[bucket] = (sums.histogram[bucket] as number) + 1;
  }

  rows(): CallStatistics[] {
    return [...this.#sums].map(([nr, sums]) => rowOf(nr, sums)).filter((row) => row !== undefined);
  }
}

/** Adds up the values of all CPUs; undefined when the call was never made. */
export function sumStatistics(nr: number, perCpu: readonly Uint8Array[]): CallStatistics | undefined {
  const sums = noSums();
  for (const value of perCpu) {
    const view = new DataView(value.buffer, value.byteOffset, STATS_SIZE);
    const at = (offset: number) => Number(view.getBigUint64(offset, true));
    sums.errors += at(Stats.errors);
    sums.total += at(Stats.total);
    sums.max = Math.max(sums.max, at(Stats.max));
    sums.unfinished += at(Stats.unfinished);
    sums.refused += at(Stats.refused);
    for (let i = 0; i < BUCKETS; i++) sums.histogram[i] = (sums.histogram[i] as number) + at(Stats.histogram + 8 * i);
  }
  return rowOf(nr, sums);
}

function rowOf(nr: number, sums: Sums): CallStatistics | undefined {
  const { errors, total, max, unfinished, refused, histogram } = sums;
  const finished = histogram.reduce((a, b) => a + b, 0);
  const calls = finished + unfinished + refused;
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
    refused,
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
