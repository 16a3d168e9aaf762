/** An object file that is well-formed ELF and no eBPF object that can be used: what, where, and what to do. */
export class ObjectFileError extends Error {
  override readonly name = "ObjectFileError";
  readonly code = "SKEP_OBJECT_FILE";
}
