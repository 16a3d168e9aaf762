import type { MapTypeName } from "./map-type.ts";

/**
 * What a live map of each type can do, by its class (docs/maps.md): `keyed` has keys and values, `reference` and `maps` hold
 * things of the kernel's that are put in by descriptor, `storage` belongs to owners, `plain` has no entries to ask for.
 */
export const MapClass = {
  hash: "keyed",
  array: "keyed",
  prog_array: "reference",
  perf_event_array: "reference",
  percpu_hash: "keyed",
  percpu_array: "keyed",
  stack_trace: "keyed",
  cgroup_array: "reference",
  lru_hash: "keyed",
  lru_percpu_hash: "keyed",
  lpm_trie: "keyed",
  array_of_maps: "maps",
  hash_of_maps: "maps",
  devmap: "keyed",
  sockmap: "reference",
  cpumap: "keyed",
  xskmap: "reference",
  sockhash: "reference",
  cgroup_storage: "keyed",
  reuseport_sockarray: "reference",
  percpu_cgroup_storage: "keyed",
  queue: "queue",
  stack: "queue",
  sk_storage: "storage",
  devmap_hash: "keyed",
  struct_ops: "structOps",
  ringbuf: "plain",
  inode_storage: "storage",
  task_storage: "storage",
  bloom_filter: "bloom",
  user_ringbuf: "plain",
  cgrp_storage: "storage",
  arena: "arena",
  insn_array: "plain",
} as const satisfies Readonly<Record<MapTypeName, string>>;

type MapClassName = (typeof MapClass)[MapTypeName];

/** The map types of a class. */
export type MapsOfClass<C extends MapClassName> = {
  [T in MapTypeName]: (typeof MapClass)[T] extends C ? T : never;
}[MapTypeName];

const NUMBERED = [
  "array",
  "prog_array",
  "perf_event_array",
  "percpu_array",
  "stack_trace",
  "cgroup_array",
  "array_of_maps",
  "devmap",
  "devmap_hash",
  "sockmap",
  "cpumap",
  "xskmap",
  "reuseport_sockarray",
] as const satisfies readonly MapTypeName[];

const PER_CPU = [
  "percpu_hash",
  "percpu_array",
  "lru_percpu_hash",
  "percpu_cgroup_storage",
] as const satisfies readonly MapTypeName[];

/** Types whose keys are numbers of 32 bits, as the kernel gives them a meaning. */
export type NumberedMap = (typeof NUMBERED)[number];

/** Types in which each CPU has a value of its own. */
export type PerCpuMap = (typeof PER_CPU)[number];

/**
 * Whether the keys of maps of this type are the numbers from 0 on, all of which are always there: arrays and their
 * like.
 */
export function isNumbered(type: MapTypeName): type is NumberedMap {
  return (NUMBERED as readonly MapTypeName[]).includes(type);
}

/** Whether each CPU has a value of its own for every key of maps of this type. */
export function isPerCpu(type: MapTypeName): type is PerCpuMap {
  return (PER_CPU as readonly MapTypeName[]).includes(type);
}

/** Whether what is put into a map of this type is a descriptor. */
export function holdsDescriptors(type: MapTypeName): boolean {
  return MapClass[type] === "reference" || MapClass[type] === "maps";
}
