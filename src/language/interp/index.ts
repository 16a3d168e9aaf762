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
export type { Step } from "./cpu/cpu.ts";
export type { HelperCall, HelperFunction } from "./helper/helper-call.ts";
export type { KernelValue } from "./kernel-struct.ts";
export { Machine, type MachineOptions, type RunOptions, type RunResult } from "./machine.ts";
export { type FaultCode, type FaultPlace, MachineError, MachineFault } from "./machine-fault.ts";
export type { MachineMapOf, MachineMaps } from "./machine-maps.ts";
export { ArrayMachineMap } from "./map/array-map.ts";
export { HashMachineMap } from "./map/hash-map.ts";
export { KeyedMachineMap } from "./map/keyed-map.ts";
export { MachineMap } from "./map/machine-map.ts";
export {
  MapOfMachineMaps,
  PerfMachineMap,
  ProgramMachineMap,
  QueueMachineMap,
  StackTraceMachineMap,
  StorageMachineMap,
} from "./map/other-maps.ts";
export { RingMachineMap } from "./map/ring-map.ts";
export { type MemoryOptions, type SentSignal, World, type WorldOptions } from "./world.ts";
