/** A value that does not fit its layout: writing 300 into a `u8`, or reading 2^60 as a number. */
export class CodecError extends Error {
  readonly code = "SKEP_CODEC";
  override readonly name = "CodecError";
}
