/** Bytes that are no BTF, or types that contradict themselves. */
export class BtfError extends Error {
  override readonly name = "BtfError";
  readonly code = "SKEP_BTF";
}
