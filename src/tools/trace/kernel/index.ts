/** The kernel side of `skep trace`: programs, and the structures they share with the reader. */
export * from "./layout.ts";
export { abiOf, type SyscallAbi } from "./machine.ts";
export type { KernelOptions, KernelTarget, PidNamespace } from "./options.ts";
export { perfGroup, TRACEPOINTS, traceSpec } from "./spec.ts";
