// Made by skep gen from cgroup-connect.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** cgroup-connect.bpf.o: `loadObject<CgroupConnect>("cgroup-connect.bpf.o")`. */
export interface CgroupConnect {
  readonly maps: {
    readonly ".rodata": KeyedMap<number, Uint8Array>;
    readonly ".bss": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_connect: Program;
  };
  readonly variables: {
    readonly port: TypedVariable<number>;
    readonly redirected: TypedVariable<bigint>;
  };
}
