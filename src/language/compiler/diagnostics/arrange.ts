import type { Diagnostic } from "../diagnostic.ts";

/**
 * Diagnostics in the order of the source, without those that repeat: of several at the very same place the first that was
 * reported stays (what follows from it says nothing new), an error before a warning. What stands nowhere comes last.
 */
export function arrange(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  const kept = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) {
    const { span, code, message } = diagnostic;
    const key = span.file < 0 ? `${code} ${message}` : `${span.file}:${span.start}:${span.end}`;
    const before = kept.get(key);
    if (before === undefined || (before.severity === "warning" && diagnostic.severity === "error"))
      kept.set(key, diagnostic);
  }
  const rank = ({ span }: Diagnostic) => (span.file < 0 ? Number.MAX_SAFE_INTEGER : span.file);
  return [...kept.values()].sort(
    (a, b) => rank(a) - rank(b) || a.span.start - b.span.start || a.span.end - b.span.end || (a.code < b.code ? -1 : 1),
  );
}
