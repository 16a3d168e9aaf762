export { describeType } from "./describe.ts";
export { printC } from "./print-c.ts";
export { printType } from "./print-type.ts";
