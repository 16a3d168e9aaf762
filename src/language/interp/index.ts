/**
 * `skep/testing`: an eBPF machine in TypeScript. Programs run with maps, helpers, ring buffers and a world whose time, task and
 * memory a test sets: no kernel, no root.
 *
 * @module
 */
export {
  argumentsContext,
  type Context,
  layoutContext,
  type PacketContext,
  type PacketFields,
  packetContext,
  type Registers,
  registersContext,
} from "./context.ts";
export type { Step } from "./cpu/run-state.ts";
export type { HelperCall, HelperFunction } from "./helper/helper-call.ts";
export type { KernelValue } from "./kernel-struct.ts";
export { Machine } from "./machine.ts";
export { type FaultCode, type FaultPlace, MachineError, MachineFault } from "./machine-fault.ts";
export type { MachineMapOf, MachineMaps } from "./machine-maps.ts";
export type { MachineOptions, RunOptions, RunResult } from "./machine-options.ts";
export { ArrayMachineMap } from "./map/array-map.ts";
export { HashMachineMap } from "./map/hash-map.ts";
export { KeyedMachineMap } from "./map/keyed-map.ts";
export { MachineMap } from "./map/machine-map.ts";
export { MapOfMachineMaps } from "./map/map-of-maps.ts";
export { PerfMachineMap } from "./map/perf-map.ts";
export { ProgramMachineMap } from "./map/program-map.ts";
export { QueueMachineMap } from "./map/queue-map.ts";
export { RingMachineMap } from "./map/ring-map.ts";
export { StackTraceMachineMap } from "./map/stack-trace-map.ts";
export { StorageMachineMap } from "./map/storage-map.ts";
export { type MemoryOptions, type SentSignal, World, type WorldOptions } from "./world.ts";
