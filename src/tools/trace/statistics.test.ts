import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUCKETS, bucketOf, bucketStart, STATS_SIZE, Stats } from "./kernel/layout.ts";
import { CallCounter, percentile, sumStatistics } from "./statistics.ts";
import { formatDuration } from "./view/duration.ts";
import { formatHistograms, formatSummary } from "./view/summary-view.ts";

const call = (ns: number, ret = 0) => ({
  nr: 39,
  ret,
  ns,
  unfinished: false,
  resumed: false,
  refused: false,
  compat: false,
});

describe("buckets of durations", () => {
  it("hold what begins in them and grow by at most a quarter", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 40 - 1 }), (ns) => {
        const start = bucketStart(bucketOf(ns));
        expect(start).toBeLessThanOrEqual(ns);
        if (ns >= 8) expect(ns).toBeLessThan(start * 1.25 + 1);
      }),
    );
    expect(bucketOf(2 ** 60)).toBe(BUCKETS - 1);
  });
});

describe("percentiles", () => {
  it("lie within 12 % of the exact ones", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 100, max: 10_000_000 }), { minLength: 50, maxLength: 400 }), (times) => {
        const histogram = new Array<number>(BUCKETS).fill(0);
        for (const ns of times) histogram[bucketOf(ns)] = (histogram[bucketOf(ns)] as number) + 1;
        const sorted = [...times].sort((a, b) => a - b);
        for (const share of [0.5, 0.99]) {
          const exact = sorted[Math.ceil(share * times.length) - 1] as number;
          const got = percentile(histogram, times.length, share);
          expect(Math.abs(got - exact) / exact).toBeLessThanOrEqual(0.25);
        }
      }),
    );
    expect(percentile(new Array(BUCKETS).fill(0), 0, 0.5)).toBe(0);
  });
});

describe("statistics", () => {
  it("are the same from delivered calls and from the kernel's sums of all CPUs", () => {
    const times = [
      [120, 500, 90_000],
      [3, 500],
    ];
    const counter = new CallCounter();
    for (const ns of times.flat()) counter.add(call(ns, ns === 3 ? -2 : 7));
    counter.add({ ...call(0), unfinished: true });
    // A seccomp filter's answer is no time that the kernel took.
    counter.add({ ...call(0, -1), refused: true });
    const perCpu = times.map((cpu, i) => {
      const value = new Uint8Array(STATS_SIZE);
      const words = new BigUint64Array(value.buffer);
      for (const ns of cpu) {
        const at = Stats.histogram / 8 + bucketOf(ns);
        words[at] = (words[at] as bigint) + 1n;
      }
      words[Stats.errors / 8] = BigInt(2 * i);
      words[Stats.refused / 8] = BigInt(i);
      words[Stats.total / 8] = BigInt(cpu.reduce((a, b) => a + b));
      words[Stats.max / 8] = BigInt(Math.max(...cpu));
      words[Stats.unfinished / 8] = BigInt(1 - i);
      return value;
    });
    expect(counter.rows()).toEqual([sumStatistics(39, perCpu)]);
    expect(counter.rows()[0]).toMatchObject({
      calls: 7,
      errors: 2,
      total: 91_123,
      max: 90_000,
      unfinished: 1,
      refused: 1,
    });
    expect(sumStatistics(1, [new Uint8Array(STATS_SIZE)])).toBeUndefined();
  });

  it("print as a table, the dearest first, and as bars", () => {
    const counter = new CallCounter();
    for (const ns of [1000, 1100, 5000]) counter.add(call(ns));
    counter.add({ ...call(20_000, -2), nr: 2 });
    const nameOf = (nr: number) => ({ 39: "getpid", 2: "open" })[nr] ?? "?";
    expect(formatSummary(counter.rows(), nameOf)).toMatchInlineSnapshot(`
      "syscall  calls  errors   total  average     p50     p99     max
      ───────  ─────  ──────  ──────  ───────  ──────  ──────  ──────
      open         1       1  20.0µs   20.0µs  18.4µs  20.0µs  20.0µs
      getpid       3          7.10µs   2.37µs  1.15µs  5.00µs  5.00µs
      ───────  ─────  ──────  ──────  ───────  ──────  ──────  ──────
      total        4       1  27.1µs"
    `);
    expect(formatHistograms(counter.rows(), nameOf)).toMatchInlineSnapshot(`
      "open
        [16.4µs, 32.8µs) 1 │████████████████████████████████████████

      getpid
        [512ns, 1.02µs)  1 │████████████████████████████████████████
        [1.02µs, 2.05µs) 1 │████████████████████████████████████████
        [2.05µs, 4.10µs) 0 │
        [4.10µs, 8.19µs) 1 │████████████████████████████████████████"
    `);
  });
});

describe("durations", () => {
  it.each([
    [0, "0ns"],
    [999, "999ns"],
    [999.6, "1.00µs"],
    [1000, "1.00µs"],
    [1249, "1.25µs"],
    [9994, "9.99µs"],
    [9996, "10.0µs"],
    [99_960, "100µs"],
    [999_499, "999µs"],
    [84_100_000, "84.1ms"],
    [12_000_000_000, "12.0s"],
    [3_600_000_000_000, "3600s"],
  ])("%d ns", (ns, text) => expect(formatDuration(ns)).toBe(text));
});
