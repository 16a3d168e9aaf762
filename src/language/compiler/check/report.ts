import type { Diagnostic } from "../diagnostic.ts";
import type { Span } from "../span.ts";

/** Where a node of the syntax tree stands in its file. */
export interface Placed {
  readonly start: number;
  readonly end: number;
}

/** Unwinds from an error that was reported to the statement it is in; caught by the checker, never seen outside. */
export class Abandoned extends Error {}

/** Unwinds silently: what is wrong was said where it was declared. */
export function abandon(): never {
  throw new Abandoned();
}

/** What goes with an error's sentence. */
export interface Explanation {
  readonly why?: string;
  readonly help?: string;
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
}

/** Collects what is wrong. */
export class Reporter {
  readonly diagnostics: Diagnostic[] = [];

  add(code: string, span: Span, message: string, explanation: Explanation = {}): void {
    this.diagnostics.push({ code, severity: "error", message, span, ...explanation });
  }

  warn(code: string, span: Span, message: string, explanation: Explanation = {}): void {
    this.diagnostics.push({ code, severity: "warning", message, span, ...explanation });
  }

  /** Reports, and unwinds to the statement. */
  fail(code: string, span: Span, message: string, explanation: Explanation = {}): never {
    this.add(code, span, message, explanation);
    throw new Abandoned();
  }

  /** Does one thing; what it abandons is left out. */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (error instanceof Abandoned) return undefined;
      throw error;
    }
  }
}
