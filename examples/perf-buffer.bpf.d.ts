// Made by skep gen from perf-buffer.bpf.o: change the C, not this.
import type { KeyedMap, Program, ReferenceMap, TypedVariable } from "skep";

/** perf-buffer.bpf.o: `loadObject<PerfBuffer>("perf-buffer.bpf.o")`. */
export interface PerfBuffer {
  readonly maps: {
    readonly events: ReferenceMap<number>;
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_start: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
  };
}
