import type { Span } from "../span.ts";
import type { AtomicOp, Slot } from "../ssa/ir.ts";

/** Why a function that is right has no code. */
export type CodeProblem =
  /** What is kept on the stack at once does not fit; the largest pieces first. */
  | {
      readonly kind: "stack";
      readonly size: number;
      readonly limit: number;
      readonly slots: readonly Pick<Slot, "name" | "size" | "span">[];
      /** Bytes of values that found no register. */
      readonly spills: number;
      /** Those of them that are variables of the source. */
      readonly values: readonly Pick<Slot, "name" | "span">[];
    }
  /** The kernel lacks atomic operations other than an addition whose old value nobody asks for (Linux 5.12). */
  | { readonly kind: "atomic"; readonly operation: AtomicOp; readonly isUsed: boolean; readonly span: Span };

/** Carries a problem out of a pass; `emitFunction` returns it. */
export class CodeProblemError extends Error {
  readonly problem: CodeProblem;

  constructor(problem: CodeProblem) {
    super(problem.kind);
    this.problem = problem;
  }
}
