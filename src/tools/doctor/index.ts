/** `skep doctor` as a library: what this kernel, this user and this machine can do, and how to mend what is missing. */
export { BuildNativeError, buildNativeAddon } from "./build-native.ts";
export { type ExamineOptions, examine } from "./examine.ts";
export {
  type Advice,
  DOCTOR_SCHEMA,
  type DoctorReport,
  type FactCheck,
  type FactVerdict,
  type Feature,
  type HelperFeature,
  type Verdict,
} from "./report.ts";
export { type DoctorRequest, runDoctor } from "./run.ts";
export { formatReport, type TextOptions } from "./view/text-view.ts";
