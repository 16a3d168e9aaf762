// Made by skep gen from tcx.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** tcx.bpf.o: `loadObject<Tcx>("tcx.bpf.o")`. */
export interface Tcx {
  readonly maps: {
    readonly ".bss": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_arrival: Program;
    readonly on_departure: Program;
  };
  readonly variables: {
    readonly received: TypedVariable<bigint>;
    readonly sent: TypedVariable<bigint>;
  };
}
