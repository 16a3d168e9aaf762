/** What the kernel's verifier says of a compiled program, told by the source that it was compiled from. */
export { explainRejection, type Rejection } from "./explain-rejection.ts";
export type { FunctionCode } from "./locate.ts";
