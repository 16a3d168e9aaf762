// Made by skep gen from struct-ops.bpf.o: change the C, not this.
import type { KeyedMap, Program, StructOpsMap, TypedVariable } from "skep";

/** struct-ops.bpf.o: `loadObject<StructOps>("struct-ops.bpf.o")`. */
export interface StructOps {
  readonly maps: {
    readonly ".bss": KeyedMap<number, Uint8Array>;
    readonly skep_steady: StructOpsMap;
  };
  readonly programs: {
    readonly begin: Program;
    readonly avoid: Program;
    readonly threshold: Program;
    readonly undo: Program;
  };
  readonly variables: {
    readonly sockets: TypedVariable<bigint>;
    readonly acknowledgements: TypedVariable<bigint>;
  };
}
