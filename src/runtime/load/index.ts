/** From an ObjectSpec to live maps and programs in the kernel. */
export { type LoadedObject, type LoadOptions, loadObject } from "./load-object.ts";
export { loadProgram, UnknownMapError } from "./load-program.ts";
export { neededCapabilities, Program, type ProgramStats, type TestRunOptions, type TestRunResult } from "./program.ts";
export { VerifierError } from "./verifier-error.ts";
