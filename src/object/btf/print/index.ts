export { describeType } from "./describe.ts";
export { printC } from "./print-c.ts";
export { printDeclaration, printType } from "./print-type.ts";
