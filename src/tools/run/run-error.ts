/** What `skep run` cannot do, in a sentence. */
export class RunError extends Error {
  override readonly name = "RunError";
  readonly code = "SKEP_RUN";
}
