import type { SourceLine } from "../../../object/asm/index.ts";
import { type SourceFile, Sources, type SourceText } from "../diagnostics/source-text.ts";
import type { Span } from "../span.ts";

/** Lines and columns of spans, as BTF's line info has them. */
export class SourceLines {
  readonly #sources: Sources;
  /** What was asked for, by where it begins. */
  readonly #made = new Map<SourceText, Map<number, SourceLine>>();

  constructor(files: readonly SourceFile[]) {
    this.#sources = new Sources(files);
  }

  /** The line that a span begins in; undefined for what stands nowhere. */
  of(span: Span): SourceLine | undefined {
    const source = this.#sources.fileOf(span);
    if (source === undefined) return undefined;
    const made = this.#made.get(source) ?? new Map<number, SourceLine>();
    this.#made.set(source, made);
    const known = made.get(span.start);
    if (known !== undefined) return known;
    const { line, column } = source.placeOf(span.start);
    const found = { file: source.name, line, column, text: source.line(line) };
    made.set(span.start, found);
    return found;
  }
}
