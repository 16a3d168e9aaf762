/** The compiler of kernel TypeScript: sources and a kernel in, an `ObjectSpec` and what is wrong out. */
export type { Sources } from "./check/check.ts";
export { type Compiled, type CompileOptions, compile, DUMPS, type Dump, otherwise } from "./compile.ts";
export type { Diagnostic } from "./diagnostic.ts";
export type { MapDecl, Module, PrintSite } from "./hir.ts";
export { layoutOfType } from "./image/index.ts";
export type { Manner } from "./lower/index.ts";
export { type RecordedTarget, TargetError, targetOf, targetOfTypes } from "./recorded-target.ts";
export type { Features, Target } from "./target.ts";
export {
  parseTracepointFormat,
  type ResolveInteger,
  type TracepointField,
  type TracepointFormat,
  type TracepointInteger,
  type TracepointType,
} from "./tracepoint-format.ts";
