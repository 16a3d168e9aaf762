// Made by skep gen from usdt.bpf.o: change the C, not this.
import type { BpfMap, KeyedMap, Program, TypedVariable } from "skep";

/** `enum __bpf_usdt_arg_type`: BPF_USDT_ARG_CONST = 0, BPF_USDT_ARG_REG = 1, BPF_USDT_ARG_REG_DEREF = 2 */
export type __bpf_usdt_arg_type = 0 | 1 | 2 | (number & {});

/** `struct __bpf_usdt_arg_spec`, 16 bytes. */
export interface __bpf_usdt_arg_spec {
  val_off: bigint;
  arg_type: __bpf_usdt_arg_type;
  reg_off: number;
  arg_signed: boolean;
  arg_bitshift: number;
}

/** `struct __bpf_usdt_spec`, 208 bytes. */
export interface __bpf_usdt_spec {
  args: __bpf_usdt_arg_spec[];
  usdt_cookie: bigint;
  arg_cnt: number;
}

/** usdt.bpf.o: `loadObject<Usdt>("usdt.bpf.o")`. */
export interface Usdt {
  readonly maps: {
    readonly __bpf_usdt_specs: KeyedMap<number, __bpf_usdt_spec>;
    readonly __bpf_usdt_ip_to_spec_id: KeyedMap<bigint, number>;
    readonly modules: BpfMap;
    readonly ".bss": KeyedMap<number, Uint8Array>;
    readonly ".kconfig": KeyedMap<number, Uint8Array>;
  };
  readonly programs: {
    readonly on_import: Program;
  };
  readonly variables: {
    readonly dropped: TypedVariable<bigint>;
  };
}
