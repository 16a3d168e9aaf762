/** A map was changed faster than it could be read key by key: again and again the kernel started over. */
export class MapChangedError extends Error {
  override readonly name = "MapChangedError";
  readonly code = "SKEP_MAP_CHANGED";

  constructor(map: string) {
    super(
      `Map "${map}" is changed faster than it can be read key by key: the kernel starts over whenever the key it stands at is deleted. Read it by \`get\` of known keys, or on Linux 5.6 and newer in batches, where its type has them.`,
    );
  }
}

/** A live map is not what the object needs, each difference by name. */
export class MapMismatchError extends Error {
  override readonly name = "MapMismatchError";
  readonly code = "SKEP_MAP_MISMATCH";
  /** `key size 4, not 8` … */
  readonly differences: readonly string[];

  constructor(map: string, where: string, differences: readonly string[]) {
    super(
      `Map "${map}" ${where} is not like the object's: it has ${differences.join("; ")}. Remove the pin, when nobody needs what it holds, or load the object with another one.`,
    );
    this.differences = differences;
  }
}
