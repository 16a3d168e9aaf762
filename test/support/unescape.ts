const LETTERS: Readonly<Record<string, number>> = { a: 7, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, '"': 34, "\\": 92 };

/** The bytes that a C string's inside stands for, with only the escapes that Skep writes. */
export function unescapeC(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; ) {
    if (text[i] !== "\\") {
      const character = String.fromCodePoint(text.codePointAt(i) as number);
      bytes.push(...Buffer.from(character, "utf8"));
      i += character.length;
    } else if (text[i + 1] === "x") {
      bytes.push(Number.parseInt(text.slice(i + 2, i + 4), 16));
      i += 4;
    } else {
      const byte = LETTERS[text[i + 1] as string];
      if (byte === undefined) throw new Error(`\\${text[i + 1]} is no escape`);
      bytes.push(byte);
      i += 2;
    }
  }
  return Uint8Array.from(bytes);
}
