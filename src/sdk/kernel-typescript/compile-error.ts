import type { Diagnostic } from "../../language/compiler/index.ts";

/** Kernel code was refused by the compiler. The message shows each place with what is wrong there. */
export class CompileError extends Error {
  override readonly name = "CompileError";
  readonly code = "SKEP_COMPILE";
  /** What is wrong, warnings too, as the compiler found it. */
  readonly diagnostics: readonly Diagnostic[];

  constructor(message: string, diagnostics: readonly Diagnostic[]) {
    super(message);
    this.diagnostics = diagnostics;
  }
}
