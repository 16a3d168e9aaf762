type Style = (text: string) => string;

/** Colours of a terminal, or none. */
export interface Paint {
  readonly plain: Style;
  readonly bold: Style;
  readonly dim: Style;
  readonly green: Style;
  readonly yellow: Style;
  readonly red: Style;
  readonly cyan: Style;
}

export function paint(colour: boolean): Paint {
  const plain = (text: string) => text;
  const style = (code: number) =>
    colour ? (text: string) => (text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`) : plain;
  return { plain, bold: style(1), dim: style(2), green: style(32), yellow: style(33), red: style(31), cyan: style(36) };
}

/** The lines of a text broken at blanks to at most `width` columns; a longer word stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return line === "" ? lines : [...lines, line];
}
