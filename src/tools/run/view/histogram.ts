import { quantile as quantileOf } from "../../../sdk/kernel-typescript/index.ts";
import { bar, boundText, grouped, percent } from "./number.ts";

/** How many values lie from `low` up to, not including, `high`; without one of them, all below or above the other. */
export interface Bucket {
  readonly low?: bigint;
  readonly high?: bigint;
  readonly count: number;
}

const BAR = 40;
/** So many empty buckets in a row, and more, become one line. */
const GAP = 4;

/** Buckets, in order and without gaps, as rows with bars, under the number of values and what divides them. */
export function drawHistogram(buckets: readonly Bucket[], indent = "  "): string {
  const first = buckets.findIndex(({ count }) => count > 0);
  if (first < 0) return `${indent}nothing was recorded`;
  const shown = buckets.slice(first, buckets.findLastIndex(({ count }) => count > 0) + 1);
  const total = shown.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(...shown.map(({ count }) => count));
  const rows = shown.map((bucket) => ({
    range: rangeText(bucket),
    count: grouped(bucket.count),
    part: percent(bucket.count, total),
    bar: bar(bucket.count, most, BAR),
    empty: bucket.count === 0,
  }));
  const width = (key: "range" | "count" | "part") => Math.max(...rows.map((row) => row[key].length));
  const [range, count, part] = [width("range"), width("count"), width("part")];
  const lines = [`${indent}${summaryText(buckets, total)}`];
  for (let i = 0; i < rows.length; i++) {
    let empty = 0;
    while (rows[i + empty]?.empty === true) empty++;
    if (empty >= GAP) {
      lines.push(`${indent}${"...".padEnd(range)}`.trimEnd());
      i += empty - 1;
      continue;
    }
    const row = rows[i] as (typeof rows)[number];
    lines.push(
      `${indent}${row.range.padEnd(range)}  ${row.count.padStart(count)}  ${row.part.padStart(part)}  |${row.bar.padEnd(BAR)}|`,
    );
  }
  return lines.join("\n");
}

function rangeText({ low, high }: Bucket): string {
  if (low === undefined) return `(..., ${high === undefined ? "..." : boundText(high)})`;
  if (high === undefined) return `[${boundText(low)}, ...)`;
  return high === low + 1n ? `[${boundText(low)}]` : `[${boundText(low)}, ${boundText(high)})`;
}

function summaryText(buckets: readonly Bucket[], total: number): string {
  const parts = [50, 90, 99].map((p) => `p${p} ${quantileText(buckets, p / 100)}`);
  return `count ${grouped(total)}, ${parts.join(", ")}`;
}

function quantileText(buckets: readonly Bucket[], q: number): string {
  const { value, exact } = quantile(buckets, q) ?? { value: 0n, exact: true };
  return `${exact ? "" : "~"}${grouped(value)}`;
}

/** What a part `q` of all values do not exceed, as `quantile` of the library tells it. */
export function quantile(buckets: readonly Bucket[], q: number): ReturnType<typeof quantileOf> {
  return quantileOf(
    buckets.map(({ low, high, count }) => ({ from: low, to: high, count })),
    q,
  );
}
