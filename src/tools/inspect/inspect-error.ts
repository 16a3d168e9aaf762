/** What was asked for is not there, is ambiguous, or cannot be done with what it is. */
export class InspectError extends Error {
  override readonly name = "InspectError";
  readonly code: "SKEP_SELECTION" | "SKEP_VALUE" | "SKEP_MAP_KIND";

  constructor(code: InspectError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
