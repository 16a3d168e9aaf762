import { PAGES, pageOf } from "./pages/index.ts";
import { styleOf } from "./style.ts";
import { wrapWords } from "./wrap.ts";

const INDENT = "  ";

/** Whether `explainCode` has something to say about a code. */
export function hasPage(code: string): boolean {
  return pageOf(code) !== undefined;
}

/** The page about a diagnostic's code, for people; undefined when there is no such code. Case does not matter. */
export function explainCode(
  code: string,
  { color = false, width = 100 }: { readonly color?: boolean; readonly width?: number } = {},
): string | undefined {
  const name = code.toUpperCase();
  const page = pageOf(name);
  if (page === undefined) return undefined;
  const style = styleOf(color);
  const text = (words: string) =>
    words
      .split("\n\n")
      .map((paragraph) =>
        wrapWords(paragraph, width - INDENT.length)
          .map((line) => INDENT + line)
          .join("\n"),
      )
      .join("\n\n");
  const source = (code: string) =>
    code
      .trimEnd()
      .split("\n")
      .map((line) => (line === "" ? "" : `${INDENT}${INDENT}${line}`))
      .join("\n");
  const parts = [style.bold(`${name}: ${page.title}`), text(page.why), `${style.bold("Write:")}\n${text(page.write)}`];
  if (page.bad !== undefined) parts.push(`${style.bold("Not:")}\n${source(page.bad)}`);
  if (page.good !== undefined) parts.push(`${style.bold("But:")}\n${source(page.good)}`);
  return `${parts.join("\n\n")}\n`;
}

/** All codes with their titles, in order. */
export function listCodes(): { readonly code: string; readonly title: string }[] {
  return Object.entries(PAGES)
    .map(([code, { title }]) => ({ code, title }))
    .sort((a, b) => (a.code < b.code ? -1 : 1));
}
