/** One object cannot take another's place: nothing was changed. */
export class ReplaceError extends Error {
  override readonly name = "ReplaceError";
  readonly code = "SKEP_REPLACE";
  /** In what the maps are not the same, each difference by its map. */
  readonly differences: Readonly<Record<string, readonly string[]>>;

  constructor(message: string, differences: Readonly<Record<string, readonly string[]>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.differences = differences;
  }
}
