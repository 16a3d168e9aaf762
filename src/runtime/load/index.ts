/** From an ObjectSpec to live maps and programs in the kernel. */

export { AttachError } from "./attach/attach-error.ts";
export { type AttachOptions, attachProgram } from "./attach/attach-object.ts";
export type { TargetProgram } from "./attach-target.ts";
export { enableStats } from "./enable-stats.ts";
export {
  type InstalledObject,
  type InstallOptions,
  installObject,
  type LoadedObject,
  loadObject,
  uninstallObject,
} from "./live-object.ts";
export type { LiveVariable } from "./live-variables.ts";
export {
  type AssembledObject,
  beginAssembled,
  type LoadOptions,
  loadAssembled,
  type PendingObject,
} from "./load-assembled.ts";
export { type ObjectLoadOptions, prepareObject } from "./load-parts.ts";
export { loadProgram, UnknownMapError } from "./load-program.ts";
export { BtfLoadError } from "./object-btf.ts";
export { ObjectError } from "./object-error.ts";
export { type ObjectSource, openObject, specOf } from "./object-source.ts";
export type { PreparedProgram } from "./prepare-program.ts";
export {
  type Environment,
  type Fact,
  type HelperResult,
  type KernelConfig,
  kernelConfig,
  type Mount,
  type NativeAddon,
  probeAttachKinds,
  probeAttachType,
  probeCode,
  probeEnvironment,
  probeHelper,
  probeHelpers,
  probeNative,
  probeProgramType,
  probeProgramTypes,
  probeVerifier,
} from "./probe/index.ts";
export { neededCapabilities, Program } from "./program.ts";
export { type ProgramDetails, type ProgramStats, programDetails } from "./program-details.ts";
export { type DumpedFunction, dumpProgram, mapIdOf, type ProgramDump } from "./program-dump.ts";
export { openPinnedProgram, openProgram, programIds } from "./program-id.ts";
export { ReplaceError } from "./replace/replace-error.ts";
export type { Migration, Replaced, ReplaceOptions } from "./replace/replace-object.ts";
export type {
  BenchmarkOptions,
  BenchmarkResult,
  TestRunOptions,
  TestRunResult,
} from "./test-run.ts";
export type { Explanation } from "./verifier/explain.ts";
export { VerifierError } from "./verifier-error.ts";
