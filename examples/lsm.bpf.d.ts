// Made by skep gen from lsm.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** lsm.bpf.o: `loadObject<Lsm>("lsm.bpf.o")`. */
export interface Lsm {
  readonly maps: {
    readonly ".rodata": KeyedMap<number, Uint8Array>;
    readonly ".bss": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_open: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
    readonly inode: TypedVariable<bigint>;
    readonly refused: TypedVariable<bigint>;
  };
}
