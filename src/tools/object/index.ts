/** `skep object` as a library: what an object file holds, whether it fits this kernel, and loading it. */
export { type CheckResult, checkObject, type ProgramCheck } from "./check.ts";
export { type Compiled, CompileError, type CompileOptions, compile } from "./compile.ts";
export {
  describeObject,
  flagNames,
  type MapDescription,
  type ObjectDescription,
  type ProgramDescription,
} from "./describe.ts";
export { generateTypes, interfaceName, isTaken } from "./generate.ts";
export { type LoadReport, type LoadRequest, loadAndReport } from "./load.ts";
export { formatCheck, formatDescription, formatLoad } from "./view.ts";
