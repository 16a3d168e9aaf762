import type { SourceLine } from "../../../object/asm/index.ts";
import type { Span } from "../span.ts";

/** A file that was compiled. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** Lines and columns of spans, as BTF's line info has them. */
export class SourceLines {
  readonly #files: readonly SourceFile[];
  /** Where each line begins, by file; found when it is first asked for. */
  readonly #starts: (number[] | undefined)[] = [];
  readonly #made: Map<number, SourceLine>[] = [];

  constructor(files: readonly SourceFile[]) {
    this.#files = files;
  }

  /** The line that a span begins in; undefined for what stands nowhere. */
  of({ file, start }: Span): SourceLine | undefined {
    const source = this.#files[file];
    if (source === undefined) return undefined;
    const made = this.#made[file] ?? new Map<number, SourceLine>();
    this.#made[file] = made;
    const known = made.get(start);
    if (known !== undefined) return known;
    const starts = this.#startsOf(file, source.text);
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] as number) <= start) low = middle;
      else high = middle - 1;
    }
    const from = starts[low] as number;
    const end = starts[low + 1];
    const text = source.text.slice(from, end === undefined ? undefined : end - 1).replace(/\r$/, "");
    const line = { file: source.path, line: low + 1, column: start - from + 1, text };
    made.set(start, line);
    return line;
  }

  #startsOf(file: number, text: string): readonly number[] {
    const known = this.#starts[file];
    if (known !== undefined) return known;
    const starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#starts[file] = starts;
    return starts;
  }
}
