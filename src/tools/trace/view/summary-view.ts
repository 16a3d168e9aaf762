import { bucketStart } from "../kernel/index.ts";
import type { CallStatistics } from "../statistics.ts";
import { formatDuration } from "./duration.ts";

const COLUMNS = ["syscall", "calls", "errors", "total", "average", "p50", "p99", "max"] as const;
const BAR = 40;

/** The table of `-c`, the most expensive call first. `nameOf` −1 is the row of calls without a name. */
export function formatSummary(rows: readonly CallStatistics[], nameOf: (nr: number) => string): string {
  const sorted = [...rows].sort((a, b) => b.total - a.total || b.calls - a.calls);
  const cells: string[][] = sorted.map((row) => [
    nameOf(row.nr),
    String(row.calls),
    row.errors === 0 ? "" : String(row.errors),
    formatDuration(row.total),
    formatDuration(row.average),
    formatDuration(row.p50),
    formatDuration(row.p99),
    formatDuration(row.max),
  ]);
  const sum = (field: "calls" | "errors" | "total") => rows.reduce((all, row) => all + row[field], 0);
  cells.push(["total", String(sum("calls")), String(sum("errors")), formatDuration(sum("total")), "", "", "", ""]);
  const widths = COLUMNS.map((title, i) => Math.max(title.length, ...cells.map((row) => (row[i] as string).length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number)))
      .join("  ")
      .trimEnd();
  const rule = widths.map((w) => "─".repeat(w)).join("  ");
  return [line(COLUMNS), rule, ...cells.slice(0, -1).map(line), rule, line(cells.at(-1) as string[])].join("\n");
}

/** One histogram per call, a bar for each power of two that occurred. */
export function formatHistograms(rows: readonly CallStatistics[], nameOf: (nr: number) => string): string {
  const sorted = [...rows].sort((a, b) => b.total - a.total);
  return sorted.map((row) => `${nameOf(row.nr)}\n${histogram(row.histogram)}`).join("\n\n");
}

function histogram(buckets: readonly number[]): string {
  // Four buckets make one power of two; those below 8 ns are one row.
  const powers: { start: number; end: number; count: number }[] = [];
  for (let i = 0; i < buckets.length; i += 4) {
    const count = buckets.slice(i, i + 4).reduce((a, b) => a + b, 0);
    const start = i < 8 ? 0 : bucketStart(i);
    const end = i < 8 ? 4 : start * 2;
    const last = powers.at(-1);
    if (last !== undefined && last.start === start) last.count += count;
    else powers.push({ start, end, count });
  }
  const first = powers.findIndex((p) => p.count > 0);
  const last = powers.findLastIndex((p) => p.count > 0);
  if (first < 0) return "  (none returned)";
  const shown = powers.slice(first, last + 1);
  const most = Math.max(...shown.map((p) => p.count));
  const labels = shown.map((p) => `[${formatDuration(p.start)}, ${formatDuration(p.end)})`);
  const width = Math.max(...labels.map((l) => l.length));
  const counts = Math.max(...shown.map((p) => String(p.count).length));
  return shown
    .map(
      (p, i) =>
        `  ${(labels[i] as string).padEnd(width)} ${String(p.count).padStart(counts)} │${"█".repeat(Math.round((p.count / most) * BAR))}`,
    )
    .join("\n");
}
