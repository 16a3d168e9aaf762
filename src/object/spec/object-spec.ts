import type { Instruction } from "../asm/index.ts";
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
}

/** A program before it is loaded: plain data, printable and editable. */
export interface ProgramSpec {
  readonly type: ProgramTypeName;
  /** Kernel-visible name, up to 15 characters; the key in `ObjectSpec.programs` when left out. */
  readonly name?: string;
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
}

/** Everything one eBPF object holds, before the kernel is touched. */
export interface ObjectSpec {
  readonly maps: Readonly<Record<string, MapSpec>>;
  readonly programs: Readonly<Record<string, ProgramSpec>>;
}
