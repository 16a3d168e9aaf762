import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../span.ts";
import { arrange } from "./arrange.ts";
import { type SourceFile, Sources } from "./source-text.ts";

/** A place in the sources for programs: lines and columns from 1, columns in UTF-16 units. */
export interface ReportedPlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A diagnostic for programs: `skep check --json` prints them. */
export interface ReportedDiagnostic extends Partial<ReportedPlace> {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly why?: string;
  readonly help?: string;
  readonly related: readonly ({ readonly message: string } & Partial<ReportedPlace>)[];
}

/** Diagnostics as plain data, in the order of the source, without repetitions. */
export function report(diagnostics: readonly Diagnostic[], sources: readonly SourceFile[]): ReportedDiagnostic[] {
  const texts = new Sources(sources);
  const place = (span: Span): Partial<ReportedPlace> => {
    const source = texts.fileOf(span);
    if (source === undefined) return {};
    const start = source.placeOf(span.start);
    const end = source.placeOf(Math.max(span.start, span.end));
    return { file: source.name, ...start, endLine: end.line, endColumn: end.column };
  };
  return arrange(diagnostics).map(({ code, severity, message, span, why, help, related = [] }) => ({
    code,
    severity,
    message,
    ...place(span),
    ...(why !== undefined && { why }),
    ...(help !== undefined && { help }),
    related: related.map((other) => ({ message: other.message, ...place(other.span) })),
  }));
}
