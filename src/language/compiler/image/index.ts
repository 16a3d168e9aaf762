/** From emitted functions to the object: maps, variables, types, source lines. */

export { buildImage, type EmittedFunction, type ImageParts } from "./build-image.ts";
export { lossVariable } from "./data-maps.ts";
export { layoutOfType } from "./layouts.ts";
export { firstExtreme } from "./map-specs.ts";
export { limitProblems, type SizedFunction } from "./program-limits.ts";
