// Made by skep gen from printk.bpf.o: change the C, not this.
import type { KeyedMap, Program, TypedVariable } from "skep";

/** printk.bpf.o: `loadObject<Printk>("printk.bpf.o")`. */
export interface Printk {
  readonly maps: {
    readonly ".rodata": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_kill: Program;
  };
  readonly variables: {
    readonly pid: TypedVariable<number>;
    readonly "on_kill.____fmt": TypedVariable<string>;
  };
}
