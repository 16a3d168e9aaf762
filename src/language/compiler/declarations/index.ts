/** TypeScript declarations of what kernel code names of the kernel. */
export { type Declarations, declareKernel, type MissingName } from "./declare.ts";
export { type Named, type NamedPlace, type Names, namedIn } from "./named.ts";
