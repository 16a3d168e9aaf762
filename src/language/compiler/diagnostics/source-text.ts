import type { Span } from "../span.ts";

/** A file of the sources, for showing places in it. */
export interface SourceFile {
  /** As people know it: a path, or `-e` for what stands on the command line. */
  readonly name: string;
  readonly text: string;
}

/** A place as editors count: lines and columns from 1, columns in UTF-16 units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** JavaScript's line terminators; CR LF is one. */
const LINE_END = /\r\n|[\n\r\u2028\u2029]/g;

/** A file cut into lines once. */
export class SourceText {
  readonly name: string;
  readonly text: string;
  /** Where each line begins. */
  readonly #starts: readonly number[];
  /** Where each line's text ends. */
  readonly #ends: readonly number[];

  constructor(file: SourceFile) {
    this.name = file.name;
    this.text = file.text;
    const starts = [0];
    const ends: number[] = [];
    for (const { 0: mark, index } of file.text.matchAll(LINE_END)) {
      ends.push(index);
      starts.push(index + mark.length);
    }
    ends.push(file.text.length);
    this.#starts = starts;
    this.#ends = ends;
  }

  /** Where a character stands; what is outside of the file is put at its nearest end. */
  placeOf(offset: number): Place {
    const at = Math.min(Math.max(0, Number.isFinite(offset) ? Math.trunc(offset) : 0), this.text.length);
    let low = 0;
    let high = this.#starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#starts[middle] as number) <= at) low = middle;
      else high = middle;
    }
    return { line: low + 1, column: at - (this.#starts[low] as number) + 1 };
  }

  /** Where line `line`, counted from 1, begins; undefined when there is no such line. */
  offsetOf(line: number): number | undefined {
    return this.#starts[line - 1];
  }

  /** The text of line `line`, counted from 1, without its end. */
  line(line: number): string {
    return this.text.slice(this.#starts[line - 1], this.#ends[line - 1]);
  }
}

/** The sources by the number that spans name them by. */
export class Sources {
  readonly #files: readonly SourceFile[];
  readonly #texts = new Map<number, SourceText>();

  constructor(files: readonly SourceFile[]) {
    this.#files = files;
  }

  /** The file a span is in; undefined for what stands nowhere. */
  fileOf({ file }: Span): SourceText | undefined {
    const source = this.#files[file];
    if (source === undefined) return undefined;
    let text = this.#texts.get(file);
    if (text === undefined) {
      text = new SourceText(source);
      this.#texts.set(file, text);
    }
    return text;
  }
}
