/** From functions in SSA form to instructions: selection, registers, stack, layout. */
export { checkCode } from "./check.ts";
export { dumpMachine } from "./dump-machine.ts";
export { type CodeResult, emitFunction, type FunctionCode, runStages, type Stages } from "./emit-function.ts";
export { STACK_LIMIT } from "./frame.ts";
export { CodeGenerationError } from "./machine.ts";
export { type CodeProblem, CodeProblemError } from "./problem.ts";
export { type CodeTarget, selectInstructions } from "./select.ts";
export type { ValueLocation } from "./values.ts";
