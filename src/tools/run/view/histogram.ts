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
  const parts = [50, 90, 99].map((p) => `p${p} ${quantileText(buckets, total, p / 100)}`);
  return `count ${grouped(total)}, ${parts.join(", ")}`;
}

function quantileText(buckets: readonly Bucket[], total: number, q: number): string {
  const { value, exact } = quantile(buckets, q, total) ?? { value: 0n, exact: true };
  return `${exact ? "" : "~"}${grouped(value)}`;
}

/**
 * The value that a part `q` of all values do not exceed, as near as the buckets tell; `exact` where a bucket holds one value
 * only. Undefined when there are none.
 */
export function quantile(
  buckets: readonly Bucket[],
  q: number,
  total: number = buckets.reduce((sum, { count }) => sum + count, 0),
): { readonly value: bigint; readonly exact: boolean } | undefined {
  if (total === 0) return undefined;
  const rank = Math.max(1, Math.ceil(q * total));
  let before = 0;
  for (const { low, high, count } of buckets) {
    if (before + count < rank) {
      before += count;
      continue;
    }
    if (low === undefined || high === undefined) return { value: low ?? high ?? 0n, exact: false };
    // Values are taken to lie evenly in their bucket.
    const inside = (Number(high - low) * (rank - before - 0.5)) / count;
    return { value: low + BigInt(Math.floor(inside)), exact: high === low + 1n };
  }
  return undefined;
}
