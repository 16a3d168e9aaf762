import { cellText } from "./text.ts";

/** What `printLine` needs of a format: the fixed texts, and the fields between them. */
export interface LineFormat {
  readonly texts: readonly string[];
  readonly fields: readonly string[];
}

/** The line that a `print(…)` says, of the event that carries its values. */
export function printLine({ texts, fields }: LineFormat, event: unknown): string {
  const values = event as Record<string, unknown>;
  return texts
    .map((text, i) => {
      const field = fields[i];
      return field === undefined ? text : `${text}${cellText(values[field])}`;
    })
    .join("");
}
