/** From the checked program to SSA: memory layout, maps, rings, loops, calls, as the target can do them. */
export { type DataLayout, type DataSection, LOSSES } from "./data-layout.ts";
export { evaluateModule } from "./evaluate-module.ts";
export { HELPERS } from "./helpers.ts";
export { type LoweredModule, lowerModule, MANNERS, type Manner } from "./lower-module.ts";
