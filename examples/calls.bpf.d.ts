// Made by skep gen from calls.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** calls.bpf.o: `loadObject<Calls>("calls.bpf.o")`. */
export interface Calls {
  readonly maps: {
    readonly calls: KeyedMap<bigint, bigint>;
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly count: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
  };
}
