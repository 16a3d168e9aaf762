// Made by skep gen from tracepoint.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** tracepoint.bpf.o: `loadObject<Tracepoint>("tracepoint.bpf.o")`. */
export interface Tracepoint {
  readonly maps: {
    readonly opened: KeyedMap<string, bigint>;
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_open: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
  };
}
