// Made by skep gen from iterator.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** iterator.bpf.o: `loadObject<Iterator>("iterator.bpf.o")`. */
export interface Iterator {
  readonly maps: {
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly show: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
    readonly "show.___fmt": TypedVariable<string>;
  };
}
