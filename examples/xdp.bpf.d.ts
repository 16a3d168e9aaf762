// Made by skep gen from xdp.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** xdp.bpf.o: `loadObject<Xdp>("xdp.bpf.o")`. */
export interface Xdp {
  readonly maps: {
    readonly ".rodata": KeyedMap<number, Uint8Array>;
    readonly ".bss": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly filter: Program;
  };
  readonly variables: {
    readonly port: TypedVariable<number>;
    readonly passed: TypedVariable<bigint>;
    readonly dropped: TypedVariable<bigint>;
  };
}
