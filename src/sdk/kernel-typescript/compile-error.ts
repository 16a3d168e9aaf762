import type { Diagnostic } from "../../language/compiler/index.ts";

/**
 * Kernel code was refused by the compiler; or by the kernel, which the compiler should have foreseen (EB9001: then `cause` is the
 * VerifierError). The message shows each place with what is wrong there.
 */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly code = "SKEP_COMPILE";
  /** What is wrong, warnings too, as the compiler found it. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(message: string, diagnostics: readonly Diagnostic[], options: ErrorOptions = {}) {
    super(message, options);
    this.diagnostics = diagnostics;
  }
}
