import type { Instruction } from "../asm/index.ts";
import type { Btf } from "../btf/index.ts";
import type { Layout } from "../codec/index.ts";
import type { MapTypeName } from "./map-type.ts";
import type { ProgramCode } from "./program-code.ts";
import type { AttachTypeName, ProgramTypeName } from "./program-type.ts";

/**
 * A map before it exists: plain data. Give the sizes as numbers, or give `key` and `value` layouts and the sizes follow
 * from them (and the live map's keys and values are typed).
 */
export interface MapSpec {
  readonly type: MapTypeName;
  /** Kernel-visible name, up to 15 characters of `[A-Za-z0-9_.]`; the key in `ObjectSpec.maps` when left out. */
  readonly name?: string;
  /** Bytes of a key. 4 for arrays; 0 for ring buffers. */
  readonly keySize?: number;
  /** Bytes of a value; per CPU for per-CPU maps. */
  readonly valueSize?: number;
  /** Entries; for ring buffers bytes, a power of two and a multiple of the page size. */
  readonly maxEntries: number;
  /** `MapFlag` values, or-ed. */
  readonly flags?: number;
  readonly key?: Layout;
  readonly value?: Layout;
  /** Id of the key's type in the object's BTF. */
  readonly keyType?: number;
  /** Id of the value's type in the object's BTF. */
  readonly valueType?: number;
  /** What a map type takes besides (`map_extra`): hashes of a bloom filter, the address of an arena. Linux 5.16. */
  readonly extra?: bigint;
  /** The NUMA node its memory is taken from; implies the flag. */
  readonly numaNode?: number;
  /** Kept in a bpffs under its name and found there by the next load. */
  readonly pinning?: "by-name";
  /** The name it is pinned by, where that is not its own. */
  readonly pinName?: string;
  /** What the maps inside a map of maps are like. */
  readonly inner?: MapSpec;
  /** Maps or programs of the object, by name, that its slots hold from the start (maps of maps, program arrays). */
  readonly slots?: Readonly<Record<number, string>>;
  /** What the value holds from the start: `.data`, `.rodata`, `.kconfig`, struct_ops, the globals of an arena. */
  readonly contents?: Uint8Array;
  /** Made read-only for user space once it is filled: `.rodata`. */
  readonly frozen?: boolean;
  /** For struct_ops: programs of the object by the member that points to them. */
  readonly functions?: Readonly<Record<string, string>>;
  /** For struct_ops: attached by a link of its own (`.struct_ops.link`). */
  readonly linked?: boolean;
  /** The section or symbol it comes from, where that is not its name. */
  readonly section?: string;
  /** Texts of `btf_decl_tag` on the map's variable. */
  readonly tags?: readonly string[];
}

/** A program before it is loaded: plain data, printable and editable. */
export interface ProgramSpec {
  readonly type: ProgramTypeName;
  /** Kernel-visible name, up to 15 characters; the key in `ObjectSpec.programs` when left out. */
  readonly name?: string;
  /**
   * The program itself, then the functions it calls; each begins with its name as label. `readObject` decodes them when they
   * are first read.
   */
  readonly instructions: readonly Instruction[];
  /** The same program already encoded, where it is known: then `instructions` are only looked at to explain a refusal. */
  readonly code?: ProgramCode;
  /** The licence the kernel checks before it allows GPL-only helpers, e.g. `"Dual MIT/GPL"`. */
  readonly license: string;
  readonly expectedAttachType?: AttachTypeName;
  /** Id of the BTF type the program attaches to (tp_btf, fentry, LSM …). */
  readonly attachBtfId?: number;
  /** BPF_F_* flags of BPF_PROG_LOAD. */
  readonly flags?: number;
  /** The section it comes from, as the object has it: `kprobe/do_unlinkat`, `?tc`. */
  readonly section?: string;
  /** What the section's name says it attaches to: `do_unlinkat`, `sched/sched_switch`. */
  readonly attachTo?: string;
  /** Not loaded unless asked for by name: `SEC("?…")`. */
  readonly optional?: boolean;
  /** Texts of `btf_decl_tag` on its function. */
  readonly tags?: readonly string[];
}

/** A global variable of the object: where it stands in which map's value. */
export interface VariableSpec {
  /** `.data`, `.rodata`, `.bss`, `.data.x` …: the key in `ObjectSpec.maps`. */
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  /** Id of its type in the object's BTF; undefined in an object without. */
  readonly type?: number;
  readonly tags?: readonly string[];
}

/** What the object wants of the kernel by name. */
export interface ExternSpec {
  /**
   * `kfunc`: a function of the kernel that is called; `variable`: one of the kernel's variables, typed; `symbol`: an
   * address of /proc/kallsyms; `kconfig`: a value of the kernel's configuration, which stands in map `.kconfig`.
   */
  readonly kind: "kfunc" | "variable" | "symbol" | "kconfig";
  /** Where the kernel lacks it, it reads as 0 and the object loads nevertheless. */
  readonly weak: boolean;
  /** Id in the object's BTF: of the function's prototype, of the variable's type. */
  readonly type?: number;
  /** For `kconfig`: its place in the value of `.kconfig`. */
  readonly offset?: number;
  readonly size?: number;
}

/** Everything one eBPF object holds, before the kernel is touched. */
export interface ObjectSpec {
  readonly maps: Readonly<Record<string, MapSpec>>;
  readonly programs: Readonly<Record<string, ProgramSpec>>;
  readonly variables?: Readonly<Record<string, VariableSpec>>;
  readonly externs?: Readonly<Record<string, ExternSpec>>;
  /** The object's own types; immutable, so that copies share it. */
  readonly btf?: Btf;
  /** How the object was compiled; this machine's order when left out. */
  readonly byteOrder?: "little" | "big";
  /** LINUX_VERSION_CODE of a `version` section; kprobes before Linux 5.0 wanted it. */
  readonly kernelVersion?: number;
}
