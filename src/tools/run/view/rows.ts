import { displayLine } from "../../../language/compiler/diagnostics/index.ts";
import { bar, grouped, percent } from "./number.ts";
import { cellText, isNumeric } from "./text.ts";

/** A row of what a program added up: its key, decoded (undefined where there is none), and what it came to. */
export interface Row {
  readonly key: unknown;
  readonly value: number | bigint;
}

const BAR = 30;

/** The columns that a key takes: of a struct one for each field, else one. */
export function keyCells(key: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (key === undefined) return [];
  if (typeof key === "object" && key !== null && !Array.isArray(key) && !(key instanceof Uint8Array))
    return Object.entries(key);
  return [["", key]];
}

export interface RowOptions {
  /** The heading over the values: `count`, `sum`, `avg`. */
  readonly heading: string;
  /** Rows that are shown; how many are left out is said. */
  readonly most: number;
  /** A bar for each row, for what is part of a whole. */
  readonly bars: boolean;
}

/** Rows with the greatest first, in columns. */
export function drawRows(rows: readonly Row[], { heading, most, bars }: RowOptions, indent = "  "): string {
  if (rows.length === 0) return `${indent}nothing was recorded`;
  const sorted = [...rows].sort((a, b) => (a.value < b.value ? 1 : a.value > b.value ? -1 : 0));
  const shown = sorted.slice(0, most);
  const total = rows.reduce((sum, { value }) => sum + Number(value), 0);
  const greatest = Math.max(...rows.map(({ value }) => Number(value)));
  const withBars = bars && rows.length > 1 && rows.every(({ value }) => value >= 0);
  const first = shown[0] as Row;
  const head = keyCells(first.key);
  const right = [...head.map(([, value]) => isNumeric(value)), true, true, false];
  const lines = [
    [...head.map(([name]) => name), heading, ...(withBars ? ["", ""] : [])],
    ...shown.map(({ key, value }) => [
      ...keyCells(key).map(([, cell]) => cellText(cell)),
      grouped(value),
      ...(withBars ? [percent(Number(value), total), `|${bar(Number(value), greatest, BAR).padEnd(BAR)}|`] : []),
    ]),
  ];
  // A single number needs no heading.
  if (head.length === 0) return `${indent}${grouped(first.value)}`;
  const text = columns(lines, right)
    .map((line) => `${indent}${line}`.trimEnd())
    .join("\n");
  const left = rows.length - shown.length;
  return left > 0 ? `${text}\n${indent}... and ${grouped(left)} more` : text;
}

/** Cells in columns, two blanks between; `right`: the columns whose cells stand at the right. */
export function columns(lines: readonly (readonly string[])[], right: readonly boolean[]): string[] {
  const widths: number[] = [];
  for (const line of lines)
    for (const [i, cell] of line.entries()) widths[i] = Math.max(widths[i] ?? 0, displayLine(cell).width);
  return lines.map((line) =>
    line
      .map((cell, i) => padded(cell, widths[i] ?? 0, right[i] === true))
      .join("  ")
      .trimEnd(),
  );
}

/** A cell made as wide as its column, as terminals count. */
export function padded(cell: string, width: number, right: boolean): string {
  const blanks = " ".repeat(Math.max(0, width - displayLine(cell).width));
  return right ? blanks + cell : cell + blanks;
}
