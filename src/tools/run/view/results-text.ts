import { json } from "../../text/index.ts";
import type { Result } from "../results.ts";
import { drawHistogram, quantile } from "./histogram.ts";
import { columns, drawRows, keyCells } from "./rows.ts";
import { cellText, isNumeric } from "./text.ts";

/** What maps came to, each under its name; `most`: rows of each that are shown. */
export function resultsText(results: readonly Result[], most: number): string {
  return results.map((result) => `${result.name}\n${resultText(result, most)}\n`).join("\n");
}

function resultText(result: Result, most: number): string {
  switch (result.kind) {
    case "histogram":
      return histogramsText(result, most);
    case "map":
      return mapText(result, most);
    default:
      return drawRows(result.rows, {
        heading: result.kind === "counter" ? "count" : result.kind,
        most,
        bars: result.kind === "counter" || result.kind === "sum",
      });
  }
}

const total = (buckets: readonly { readonly count: number }[]) => buckets.reduce((sum, { count }) => sum + count, 0);

/** The histogram of each key, that with most values first. */
function histogramsText({ rows }: Extract<Result, { readonly kind: "histogram" }>, most: number): string {
  if (rows.length === 0) return "  nothing was recorded";
  const sorted = [...rows].sort((a, b) => total(b.buckets) - total(a.buckets));
  const parts = sorted.slice(0, most).map(({ key, buckets }) => {
    const name = keyCells(key)
      .map(([field, value]) => (field === "" ? cellText(value) : `${field} ${cellText(value)}`))
      .join(", ");
    return name === "" ? drawHistogram(buckets) : `  ${name}\n${drawHistogram(buckets, "    ")}`;
  });
  const left = sorted.length - parts.length;
  return [...parts, ...(left > 0 ? [`  ... and ${left} more`] : [])].join("\n");
}

function mapText({ rows }: Extract<Result, { readonly kind: "map" }>, most: number): string {
  if (rows.length === 0) return "  empty";
  const shown = rows.slice(0, most);
  const cells = (value: unknown): (readonly [string, unknown])[] =>
    Array.isArray(value) ? [["", value]] : [...keyCells(value)];
  const all = shown.map(({ key, value }) => [...cells(key), ["→", "→"] as const, ...cells(value)]);
  const head = all[0] ?? [];
  const names = head.map(([name]) => (name === "→" ? "" : name));
  const lines = [
    ...(names.some((name) => name !== "") ? [names] : []),
    ...all.map((row) => row.map(([, value]) => cellText(value))),
  ];
  const text = columns(
    lines,
    head.map(([, value]) => isNumeric(value)),
  ).map((line) => `  ${line}`);
  const left = rows.length - shown.length;
  return [...text, ...(left > 0 ? [`  ... and ${left} more`] : [])].join("\n");
}

/** What a map came to, as a line of JSON; numbers that JavaScript holds exactly are numbers. */
export function resultJson(result: Result): string {
  const { name: map, kind, rows } = result;
  if (kind === "map") return json({ map, kind, rows });
  if (kind !== "histogram")
    return json({ map, kind, rows: rows.map(({ key, value }) => ({ key, value: plain(value) })) });
  return json({
    map,
    kind,
    rows: rows.map(({ key, buckets }) => ({
      key,
      count: total(buckets),
      p50: plain(quantile(buckets, 0.5)?.value),
      p90: plain(quantile(buckets, 0.9)?.value),
      p99: plain(quantile(buckets, 0.99)?.value),
      buckets: buckets.flatMap(({ low, high, count }) =>
        count === 0 ? [] : [{ low: plain(low), high: plain(high), count }],
      ),
    })),
  });
}

function plain(value: number | bigint | undefined): number | bigint | undefined {
  const number = Number(value);
  return typeof value === "bigint" && Number.isSafeInteger(number) ? number : value;
}
