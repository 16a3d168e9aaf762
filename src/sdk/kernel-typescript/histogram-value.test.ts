import { describe, expect, it } from "vitest";
import { HistogramValue } from "./histogram-value.ts";

describe("HistogramValue", () => {
  it("has the buckets that hold something, in order, and how many values there are", () => {
    const value = new HistogramValue([
      { from: 8n, to: 16n, count: 2 },
      { from: undefined, to: 0n, count: 1 },
      { from: 0n, to: 1n, count: 3 },
      { from: 4n, to: 8n, count: 0 },
      { from: 100n, to: undefined, count: 4 },
    ]);
    expect(value.buckets.map(({ from }) => from)).toEqual([undefined, 0n, 8n, 100n]);
    expect(value.count).toBe(10);
  });

  it("tells what a part of the values does not exceed", () => {
    const value = new HistogramValue([
      { from: 0n, to: 1n, count: 50 },
      { from: 64n, to: 128n, count: 49 },
      { from: 1024n, to: 2048n, count: 1 },
    ]);
    expect([value.p(0), value.p(50), value.p(100)]).toEqual([0, 0, 1536]);
    // Each lies in its bucket, and they never fall.
    let before = -1;
    for (let percent = 0; percent <= 100; percent++) {
      const at = value.p(percent) as number;
      expect(at).toBeGreaterThanOrEqual(before);
      expect(value.buckets.some(({ from, to }) => at >= Number(from) && at < Number(to))).toBe(true);
      before = at;
    }
    expect(value.p(99)).toBeLessThan(128);
    expect(value.p(99.5)).toBe(1536);
  });

  it("takes the end of a bucket that is open, and knows nothing of no values", () => {
    expect(new HistogramValue([{ from: undefined, to: -5n, count: 1 }]).p(50)).toBe(-5);
    expect(new HistogramValue([{ from: 100n, to: undefined, count: 1 }]).p(50)).toBe(100);
    expect(new HistogramValue([]).p(50)).toBeUndefined();
    expect(new HistogramValue([]).count).toBe(0);
    for (const percent of [-1, 101, Number.NaN]) expect(() => new HistogramValue([]).p(percent)).toThrow(RangeError);
  });
});
