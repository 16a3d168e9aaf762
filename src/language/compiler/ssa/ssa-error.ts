/**
 * The intermediate form was used in a way it does not allow, or is not whole: a fault of the compiler, never of the source
 * that it compiles.
 */
export class SsaError extends Error {
  override readonly name = "SsaError";
  readonly code: "misuse" | "malformed";
  /** Each rule that is broken, when a whole function was checked. */
  readonly problems: readonly string[];

  constructor(code: SsaError["code"], message: string, problems: readonly string[] = [message]) {
    super(`${message}. This is a fault of the compiler: please report it with the source`);
    this.code = code;
    this.problems = problems;
  }
}
