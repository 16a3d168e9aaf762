/** `skep object` as a library: what an object file holds, whether it fits this kernel, and loading it. */
export { type CheckResult, checkObject, type ProgramCheck } from "./check.ts";
export {
  describeObject,
  listing,
  type MapDescription,
  type ObjectDescription,
  type ProgramDescription,
} from "./describe.ts";
export { type LoadReport, type LoadRequest, loadAndReport } from "./load.ts";
export { formatCheck, formatDescription, formatLoad } from "./view.ts";
