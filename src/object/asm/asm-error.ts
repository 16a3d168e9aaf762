/** Instructions that cannot be: a value that does not fit its field, a label nobody set, bytes that are no program. */
export class AsmError extends Error {
  readonly code = "SKEP_ASM";
  override readonly name = "AsmError";
}
