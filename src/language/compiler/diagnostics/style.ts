/** Colours of a terminal, or none. */
export interface Style {
  readonly error: (text: string) => string;
  readonly warning: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  /** Under what a diagnostic is about. */
  readonly mark: (text: string) => string;
  /** Under what belongs to it. */
  readonly related: (text: string) => string;
}

const plain = (text: string): string => text;
const sgr =
  (code: string) =>
  (text: string): string =>
    text === "" ? "" : `\x1b[${code}m${text}\x1b[0m`;

const NONE: Style = { error: plain, warning: plain, bold: plain, dim: plain, mark: plain, related: plain };
const COLOURS: Style = {
  error: sgr("1;31"),
  warning: sgr("1;33"),
  bold: sgr("1"),
  dim: sgr("2"),
  mark: sgr("31"),
  related: sgr("36"),
};

export function styleOf(color: boolean): Style {
  return color ? COLOURS : NONE;
}
