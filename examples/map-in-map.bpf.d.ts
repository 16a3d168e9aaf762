// Made by skep gen from map-in-map.bpf.o: change the C, not this.
import type { KeyedMap, MapOfMaps, Program, TypedVariable } from "skep";

/** map-in-map.bpf.o: `loadObject<MapInMap>("map-in-map.bpf.o")`. */
export interface MapInMap {
  readonly maps: {
    readonly current: MapOfMaps<number, KeyedMap<bigint, bigint>>;
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly count: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
  };
}
