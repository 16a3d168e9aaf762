import type { Span } from "./span.ts";

/** One thing that is wrong with the source. */
export interface Diagnostic {
  /** `EB2101`, or TypeScript's own number where the situation is the same (`TS2339`). */
  readonly code: string;
  readonly severity: "error" | "warning";
  /** What is wrong, in one sentence, with the names of the source. */
  readonly message: string;
  readonly span: Span;
  /** Why, in terms of what runs the program. */
  readonly why?: string;
  /** What to write instead. */
  readonly help?: string;
  /** Other places that belong to it: a declaration, the branch that did not return. */
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
}
