/** A text of the kernel's or of a process's as one piece of a line: what would steer a terminal or end the line is escaped. */
export function lineText(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu, escaped);
}

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\t": "\\t", "\r": "\\r" };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`);
}

/** A decoded value in a column: texts without quotes, numbers, bytes in hexadecimal, what has parts in braces. */
export function cellText(value: unknown): string {
  if (typeof value === "string") return lineText(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return `[${value.map(cellText).join(" ")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([name, item]) => `${name}: ${cellText(item)}`)
      .join(", ")}}`;
  return String(value);
}

/** Whether a value stands at the right of its column. */
export function isNumeric(value: unknown): boolean {
  return typeof value === "number" || typeof value === "bigint";
}
