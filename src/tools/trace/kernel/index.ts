/** The kernel side of `skep trace`: programs, and the structures they share with the reader. */
export * from "./layout.ts";
export { traceArch } from "./machine.ts";
export type { KernelOptions, KernelTarget, PidNamespace } from "./options.ts";
export { AGAIN, perfGroup, TRACEPOINTS, traceSpec } from "./spec.ts";
