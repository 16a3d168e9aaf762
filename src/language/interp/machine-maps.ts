import type { Infer, Layout } from "../../object/codec/index.ts";
import type { MapSpec, MapTypeName, NumberedMap, ObjectSpec, PerCpuMap } from "../../object/spec/index.ts";
import type { ArrayMachineMap } from "./map/array-map.ts";
import type { HashMachineMap } from "./map/hash-map.ts";
import type { MachineMap } from "./map/machine-map.ts";
import type { MapOfMachineMaps } from "./map/map-of-maps.ts";
import type { PerfMachineMap } from "./map/perf-map.ts";
import type { ProgramMachineMap } from "./map/program-map.ts";
import type { QueueMachineMap } from "./map/queue-map.ts";
import type { RingMachineMap } from "./map/ring-map.ts";
import type { StackTraceMachineMap } from "./map/stack-trace-map.ts";
import type { StorageMachineMap } from "./map/storage-map.ts";

type KeyOf<S> = S extends { readonly key: infer L extends Layout }
  ? Infer<L>
  : S extends { readonly type: NumberedMap }
    ? number
    : unknown;

type PlainValue<S> = S extends { readonly value: infer L extends Layout } ? Infer<L> : unknown;

type ValueOf<S> = S extends { readonly type: PerCpuMap } ? PlainValue<S>[] : PlainValue<S>;

type EventOf<S> = S extends { readonly value: infer L extends Layout } ? Infer<L> : Uint8Array;

interface Classes<S> {
  hash: HashMachineMap<KeyOf<S>, ValueOf<S>>;
  lru_hash: HashMachineMap<KeyOf<S>, ValueOf<S>>;
  percpu_hash: HashMachineMap<KeyOf<S>, ValueOf<S>>;
  lru_percpu_hash: HashMachineMap<KeyOf<S>, ValueOf<S>>;
  array: ArrayMachineMap<KeyOf<S>, ValueOf<S>>;
  percpu_array: ArrayMachineMap<KeyOf<S>, ValueOf<S>>;
  ringbuf: RingMachineMap<EventOf<S>>;
  stack_trace: StackTraceMachineMap;
  task_storage: StorageMachineMap<PlainValue<S>>;
  sk_storage: StorageMachineMap<PlainValue<S>>;
  inode_storage: StorageMachineMap<PlainValue<S>>;
  cgrp_storage: StorageMachineMap<PlainValue<S>>;
  perf_event_array: PerfMachineMap;
  queue: QueueMachineMap<PlainValue<S>>;
  stack: QueueMachineMap<PlainValue<S>>;
  prog_array: ProgramMachineMap;
  array_of_maps: MapOfMachineMaps;
  hash_of_maps: MapOfMachineMaps;
}

/** The map of the machine that a spec becomes; just `MachineMap` where the type is not known while compiling. */
export type MachineMapOf<S extends MapSpec> = MapTypeName extends S["type"]
  ? MachineMap
  : S["type"] extends keyof Classes<S>
    ? Classes<S>[S["type"]]
    : MachineMap;

/** The maps of an object, by name. */
export type MachineMaps<S extends ObjectSpec> = { readonly [K in keyof S["maps"]]: MachineMapOf<S["maps"][K]> };
