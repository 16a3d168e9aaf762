import { cellText } from "./text.ts";

/** The line that a `print(…)` says: fixed texts, one more than there are values, and the values between them. */
export function printLine(texts: readonly string[], values: readonly unknown[]): string {
  return texts.map((text, i) => (i < values.length ? `${text}${cellText(values[i])}` : text)).join("");
}
