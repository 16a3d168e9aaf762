/** A program cannot be attached by what is known of it: nothing was attached. */
export class AttachError extends Error {
  override readonly name = "AttachError";
  readonly code = "SKEP_ATTACH";
}
