/** An object asks for something that this kernel, or the object itself, does not have. */
export class ObjectError extends Error {
  override readonly name = "ObjectError";
  readonly code = "SKEP_OBJECT";
}
