/** Bytes that are no ELF file, or one that contradicts itself. */
export class ElfError extends Error {
  override readonly name = "ElfError";
  readonly code = "SKEP_ELF";
}
