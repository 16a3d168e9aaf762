/** What a program is, as plain data: maps and programs before the kernel has seen them. */
export { MapFlag, MapType, type MapTypeName } from "./map-type.ts";
export type { ExternSpec, MapSpec, ObjectSpec, ProgramSpec, VariableSpec } from "./object-spec.ts";
export { decodeProgram, encodeProgram, type MapReference, type ProgramCode } from "./program-code.ts";
export { AttachType, type AttachTypeName, ProgramType, type ProgramTypeName } from "./program-type.ts";
export { POISON, relocateCore } from "./relocate-core.ts";
