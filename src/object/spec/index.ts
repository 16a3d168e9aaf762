/** What a program is, as plain data: maps and programs before the kernel has seen them. */
export { typesForKernel, typesForOldKernel } from "./kernel-types.ts";
export {
  decodedLater,
  given,
  type LazyInstructions,
  lazyOf,
  rawOf,
  withCode,
  withInstructions,
} from "./lazy-program.ts";
export {
  holdsDescriptors,
  isNumbered,
  isPerCpu,
  MapClass,
  type MapsOfClass,
  type NumberedMap,
  type PerCpuMap,
} from "./map-class.ts";
export { MapFlag, MapType, type MapTypeName, MapTypeSince } from "./map-type.ts";
export type { ExternSpec, MapSpec, ObjectSpec, ProgramSpec, VariableSpec } from "./object-spec.ts";
export { decodeProgram, encodeProgram, type MapReference, type ProgramCode } from "./program-code.ts";
export {
  AttachType,
  type AttachTypeName,
  AttachTypeSince,
  type KernelProgramType,
  type LaterAttachType,
  MULTI_TRACING,
  ProgramFlag,
  ProgramType,
  type ProgramTypeName,
  ProgramTypeSince,
} from "./program-type.ts";
export { decodeRaw, type RawProgram } from "./raw-program.ts";
export { ObjectFileError } from "./read/object-file-error.ts";
export { type ReadOptions, readObject } from "./read/read-object.ts";
export { type SectionKind, type SectionMeaning, sectionMeaning } from "./read/section-kinds.ts";
export { POISON, relocateCore, relocateInstruction } from "./relocate-core.ts";
export { NewerKernelError, uapiName, uapiNameOrNumber } from "./uapi-name.ts";
export {
  encodeUsdtSpec,
  USDT_ADDRESSES,
  USDT_KINDS,
  USDT_MOST_ARGUMENTS,
  USDT_SPECS,
  UsdtError,
  usdtSpecLayout,
} from "./usdt-specs.ts";
export { decodeVariable, encodeVariable, VariableError, withVariables } from "./variables.ts";
