import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../span.ts";
import { arrange } from "./arrange.ts";
import { printable } from "./display.ts";
import { hasPage } from "./explain.ts";
import { frame, type Mark } from "./frame.ts";
import { type SourceFile, Sources, type SourceText } from "./source-text.ts";
import { type Style, styleOf } from "./style.ts";
import { wrapWords } from "./wrap.ts";

/** How `render` writes. */
export interface RenderOptions {
  /** With the colours of a terminal. */
  readonly color?: boolean;
  /** Columns that sentences are wrapped to; 100 when left out. Lines of source are not. */
  readonly width?: number;
  /** No more than so many diagnostics are shown; how many are left out is said. 50 when left out. */
  readonly most?: number;
}

/**
 * Diagnostics for people: where, what, the code with the place underlined, what belongs to it, why, and what to write. In the
 * order of the source, without repetitions; `sources` are the files as spans count them. Empty when there is nothing to say.
 */
export function render(
  diagnostics: readonly Diagnostic[],
  sources: readonly SourceFile[],
  { color = false, width = 100, most = 50 }: RenderOptions = {},
): string {
  const ordered = arrange(diagnostics);
  if (ordered.length === 0) return "";
  const texts = new Sources(sources);
  const style = styleOf(color);
  const parts = ordered.slice(0, most).map((diagnostic) => `${one(diagnostic, texts, style, width)}\n`);
  return `${parts.join("\n")}\n${summary(ordered, most, style)}\n`;
}

function one(diagnostic: Diagnostic, sources: Sources, style: Style, width: number): string {
  const { code, severity, message, span, why, help, related = [] } = diagnostic;
  const source = sources.fileOf(span);
  const where = source === undefined ? "" : `${style.bold(placeText(source, span))} - `;
  const lines = [`${where}${style[severity](`${severity} ${code}`)}: ${printable(message)}`];
  const here: Mark[] = [{ start: span.start, end: span.end, primary: true }];
  const elsewhere: [SourceText, Mark][] = [];
  const nowhere: string[] = [];
  for (const { span: other, message: text } of related) {
    const file = sources.fileOf(other);
    const mark: Mark = { start: other.start, end: other.end, primary: false, message: printable(text) };
    if (file === undefined) nowhere.push(text);
    else if (file === source) here.push(mark);
    else elsewhere.push([file, mark]);
  }
  if (source !== undefined) lines.push("", ...frame(source, here, style));
  for (const [file, mark] of elsewhere)
    lines.push(`  ${placeText(file, { file: 0, start: mark.start, end: mark.end })}`, ...frame(file, [mark], style));
  const sentences = [
    ...nowhere.map((text) => ["note", text] as const),
    ...(why === undefined ? [] : [["why", why] as const]),
    ...(help === undefined ? [] : [["help", help] as const]),
  ];
  for (const [word, text] of sentences) lines.push(...sentence(word, text, style, width));
  return lines.join("\n");
}

const INDENT = 8;

function sentence(word: string, text: string, style: Style, width: number): string[] {
  const rows = printable(text)
    .split("\n")
    .flatMap((row) => (/^\s/.test(row) ? [row] : wrapWords(row, Math.max(20, width - INDENT))));
  return rows.map((row, i) =>
    `${i === 0 ? `  ${style.bold(`${word}:`.padEnd(INDENT - 2))}` : " ".repeat(INDENT)}${row}`.trimEnd(),
  );
}

function placeText(source: SourceText, span: Span): string {
  const { line, column } = source.placeOf(span.start);
  return `${source.name}:${line}:${column}`;
}

function summary(diagnostics: readonly Diagnostic[], most: number, style: Style): string {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const counts = [
    count(errors, "error", style.error),
    count(diagnostics.length - errors, "warning", style.warning),
  ].filter((text) => text !== "");
  const hidden = diagnostics.length - most;
  const left = hidden > 0 ? `; ${hidden} of them ${hidden === 1 ? "is" : "are"} not shown` : "";
  const codes = [...new Set(diagnostics.slice(0, most).map(({ code }) => code))].filter(hasPage).slice(0, 3);
  const more =
    codes.length === 0
      ? ""
      : ` ${style.dim(`(more about it: ${codes.map((code) => `skep explain ${code}`).join(", ")})`)}`;
  return `${counts.join(", ")}${left}.${more}`;
}

function count(n: number, word: string, paint: (text: string) => string): string {
  return n === 0 ? "" : paint(`${n} ${word}${n === 1 ? "" : "s"}`);
}
