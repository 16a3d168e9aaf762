/** Declarations cannot be made of what was given. */
export class TypesError extends Error {
  override readonly name = "TypesError";
  readonly code = "SKEP_TYPES";
}
