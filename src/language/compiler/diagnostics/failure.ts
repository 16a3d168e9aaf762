import type { Diagnostic } from "../diagnostic.ts";
import { NOWHERE } from "../span.ts";

/** Lines of a stack that are shown: enough to tell where it was. */
const MOST_LINES = 6;

/** Something that failed inside of the compiler, whatever the source is, as a diagnostic. */
export function compilerFailure(error: unknown): Diagnostic {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const lines = (stack ?? "").split("\n").filter((line) => /^\s+at /.test(line));
  return {
    code: "EB9002",
    severity: "error",
    message: `The compiler failed: ${message}`,
    span: NOWHERE,
    ...(lines.length > 0 && { why: lines.slice(0, MOST_LINES).join("\n") }),
    help: "This is a bug of the compiler, not of the source: please report it with the source.",
  };
}
