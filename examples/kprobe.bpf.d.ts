// Made by skep gen from kprobe.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** kprobe.bpf.o: `loadObject<Kprobe>("kprobe.bpf.o")`. */
export interface Kprobe {
  readonly maps: {
    readonly wanted: KeyedMap<string, bigint>;
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_read: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
  };
}
