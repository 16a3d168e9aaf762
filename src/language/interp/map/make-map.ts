import { ArrayMachineMap } from "./array-map.ts";
import { HashMachineMap } from "./hash-map.ts";
import { MachineMap, type MapPlace } from "./machine-map.ts";
import { MapOfMachineMaps } from "./map-of-maps.ts";
import { PerfMachineMap } from "./perf-map.ts";
import { ProgramMachineMap } from "./program-map.ts";
import { QueueMachineMap } from "./queue-map.ts";
import { RingMachineMap } from "./ring-map.ts";
import { StackTraceMachineMap } from "./stack-trace-map.ts";
import { StorageMachineMap } from "./storage-map.ts";

/** The map of a spec. Types that the machine does not run are maps that helpers refuse. */
export function makeMap(place: MapPlace): MachineMap {
  switch (place.spec.type) {
    case "hash":
    case "lru_hash":
    case "percpu_hash":
    case "lru_percpu_hash":
      return new HashMachineMap(place);
    case "array":
    case "percpu_array":
      return new ArrayMachineMap(place);
    case "ringbuf":
      return new RingMachineMap(place);
    case "stack_trace":
      return new StackTraceMachineMap(place);
    case "task_storage":
    case "sk_storage":
    case "inode_storage":
    case "cgrp_storage":
      return new StorageMachineMap(place);
    case "perf_event_array":
      return new PerfMachineMap(place);
    case "queue":
    case "stack":
      return new QueueMachineMap(place);
    case "prog_array":
      return new ProgramMachineMap(place);
    case "array_of_maps":
    case "hash_of_maps":
      return new MapOfMachineMaps(place);
    default:
      return new MachineMap(place);
  }
}
