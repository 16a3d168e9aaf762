/**
 * How a line of source looks on a terminal: tabs as blanks, characters that take two columns or none, and nothing that would
 * steer the terminal.
 */
export interface DisplayedLine {
  /** What is printed. */
  readonly text: string;
  readonly width: number;
  /** The column, from 0, of UTF-16 unit `index` of the line; of what lies behind it, its width. */
  readonly columnOf: (index: number) => number;
}

const TAB = 4;
const PLAIN = /^[\x20-\x7e]*$/;
/** Controls, and characters that turn the direction of what follows: they may hide what a program does. */
const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18aff}\u{1aff0}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\ufe0f/u;
const NARROWLESS = /^[\p{M}\p{Cf}]+$/u;

let segmenter: Intl.Segmenter | undefined;

export function displayLine(line: string): DisplayedLine {
  if (PLAIN.test(line)) return { text: line, width: line.length, columnOf: (index) => clamp(index, line.length) };
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  const columns: number[] = [];
  let text = "";
  let width = 0;
  for (const { segment } of segmenter.segment(line)) {
    for (let i = 0; i < segment.length; i++) columns.push(width);
    const shown = segment === "\t" ? " ".repeat(TAB - (width % TAB)) : UNSHOWN.test(segment) ? "\ufffd" : segment;
    text += shown;
    width += segment === "\t" ? shown.length : widthOf(shown);
  }
  columns.push(width);
  return { text, width, columnOf: (index) => columns[clamp(index, columns.length - 1)] as number };
}

/** Columns of a grapheme. */
function widthOf(grapheme: string): number {
  if (WIDE.test(grapheme)) return 2;
  return NARROWLESS.test(grapheme) ? 0 : 1;
}

/** Words from the source or the kernel, with nothing in them that would steer the terminal; line ends stay. */
export function printable(text: string): string {
  if (PLAIN.test(text)) return text;
  return text.replace(/[^\n]/gu, (character) => (UNSHOWN.test(character) ? "\ufffd" : character));
}

/** The part of a line from column `from` that fits `width` columns; what a cut goes through becomes blanks. */
export function cutLine({ text, width: whole }: DisplayedLine, from: number, width: number): string {
  if (from === 0 && whole <= width) return text;
  if (PLAIN.test(text)) return text.slice(from, from + width);
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" });
  let part = "";
  let column = 0;
  for (const { segment } of segmenter.segment(text)) {
    const next = column + widthOf(segment);
    if (column >= from && next <= from + width) part += segment;
    else if (next > from && column < from + width)
      part += " ".repeat(Math.min(next, from + width) - Math.max(column, from));
    column = next;
  }
  return part;
}

function clamp(index: number, most: number): number {
  return Math.max(0, Math.min(index, most));
}
