/** `skep types` as a library: declarations of what a project's kernel code names of the kernel. */
export { findKernelSources } from "./find-sources.ts";
export { TypesError } from "./types-error.ts";
export {
  areKernelTypes,
  type GeneratedTypes,
  generateKernelTypes,
  type MissingPlace,
  writeKernelTypes,
} from "./write-types.ts";
