/** The source of a module of kernel code cannot be found or read. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  readonly code = "SKEP_SOURCE";
}
