// Made by skep gen from uprobe.bpf.o: change the C, not this.
import type { BpfMap, KeyedMap, Program, TypedVariable } from "skep";

/** uprobe.bpf.o: `loadObject<Uprobe>("uprobe.bpf.o")`. */
export interface Uprobe {
  readonly maps: {
    readonly paths: BpfMap;
    readonly ".bss": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_open: Program;
  };
  readonly variables: {
    readonly dropped: TypedVariable<bigint>;
  };
}
