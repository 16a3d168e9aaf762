import { cutLine, displayLine } from "./display.ts";
import type { SourceText } from "./source-text.ts";
import type { Style } from "./style.ts";

/** A place in a file that a frame shows. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  /** What the diagnostic is about; other marks belong to it. */
  readonly primary: boolean;
  /** What is said of it, behind the underline. */
  readonly message?: string;
}

/** A mark's part of one line, in UTF-16 units of it. */
interface Underline {
  readonly mark: Mark;
  readonly from: number;
  readonly to: number;
  /** The part that the message stands at. */
  readonly last: boolean;
}

/** Longer lines are cut around what is marked. */
const WIDEST = 140;
const BEFORE = 50;
/** A mark over more lines than this is shown by its first and last. */
const WHOLE = 4;

/** The lines of a file that marks stand in, with what is marked underlined. */
export function frame(source: SourceText, marks: readonly Mark[], style: Style): string[] {
  const byLine = new Map<number, Underline[]>();
  for (const mark of marks)
    for (const [line, underline] of underlines(source, mark)) {
      const there = byLine.get(line);
      if (there === undefined) byLine.set(line, [underline]);
      else there.push(underline);
    }
  const numbers = [...byLine.keys()].sort((a, b) => a - b);
  const gutter = String(numbers.at(-1) ?? 0).length + 2;
  const bar = style.dim("│");
  const head = (text: string) => `${style.dim(text.padStart(gutter))} ${bar}`;
  const rows: string[] = [];
  let before: number | undefined;
  for (const number of numbers) {
    // A single line between two is shown rather than left out.
    if (before !== undefined && number === before + 2) {
      const between = displayLine(source.line(before + 1));
      rows.push(`${head(String(before + 1))} ${cutLine(between, 0, WIDEST)}`.trimEnd());
    } else if (before !== undefined && number > before + 1) rows.push(style.dim("...".padStart(gutter)));
    rows.push(...lineRows(source, number, byLine.get(number) as Underline[], head, style));
    before = number;
  }
  return rows;
}

function lineRows(
  source: SourceText,
  number: number,
  marked: readonly Underline[],
  head: (text: string) => string,
  style: Style,
): string[] {
  const line = displayLine(source.line(number));
  const first = Math.min(...marked.map(({ from }) => line.columnOf(from)));
  const cut = line.width > WIDEST && first > BEFORE ? Math.min(first - BEFORE, line.width - WIDEST) : 0;
  const left = cut > 0 ? "… " : "";
  const right = line.width - cut > WIDEST ? " …" : "";
  const rows = [`${head(String(number))} ${left}${cutLine(line, cut, WIDEST)}${right}`.trimEnd()];
  // The primary mark stands directly under its line; each other has a row of its own, for its words.
  const ordered = [...marked].sort((a, b) => Number(b.mark.primary) - Number(a.mark.primary) || a.from - b.from);
  for (const { mark, from, to, last } of ordered) {
    const begin = Math.min(Math.max(0, line.columnOf(from) - cut), WIDEST);
    const end = Math.min(Math.max(begin, line.columnOf(to) - cut), WIDEST);
    const underline = (mark.primary ? "^" : "~").repeat(Math.max(1, end - begin));
    const words = last && mark.message !== undefined ? ` ${mark.message}` : "";
    const paint = mark.primary ? style.mark : style.related;
    rows.push(`${head("")} ${" ".repeat(left.length + begin)}${paint(`${underline}${words}`)}`);
  }
  return rows;
}

/** What is to be underlined in which lines. */
function* underlines(source: SourceText, mark: Mark): Generator<[number, Underline]> {
  const start = source.placeOf(mark.start);
  const end = source.placeOf(Math.max(mark.start, mark.end));
  // An end at the beginning of a line belongs to the line before.
  const lastLine = end.line > start.line && end.column === 1 ? end.line - 1 : end.line;
  const whole = lastLine - start.line < WHOLE;
  for (let line = start.line; line <= lastLine; line++) {
    if (!whole && line !== start.line && line !== lastLine) continue;
    const text = source.line(line);
    const from = line === start.line ? start.column - 1 : text.length - text.trimStart().length;
    const to = line === end.line ? end.column - 1 : text.trimEnd().length;
    if (line !== start.line && line !== lastLine && to <= from) continue;
    yield [line, { mark, from, to, last: line === lastLine }];
  }
}
