import type { HelperName } from "../../object/asm/index.ts";
import type { Btf } from "../../object/btf/index.ts";
import type { ProgramTypeName } from "../../object/spec/index.ts";

/**
 * The kernel that is compiled for, as plain data: a live one (the SDK reads it) or one that was recorded. The compiler knows
 * nothing else of the machine.
 */
export interface Target {
  /** Of programs and of the registers that kprobes see. */
  readonly arch: "x64" | "arm64";
  readonly byteOrder: "little" | "big";
  /** The kernel's own types; undefined where it has none: then nothing that names kernel types compiles. */
  readonly btf: Btf | undefined;
  /** For people: `6.18.44`. */
  readonly release: string;
  readonly features: Features;
  /** Whether programs of a type may call a helper of the kernel. */
  readonly hasHelper: (name: HelperName, type: ProgramTypeName) => boolean;
  /** Possible CPUs: how many values per-CPU maps have. */
  readonly cpus: number;
  /** The text of the tracepoint's `format` file in tracefs; undefined when there is no such tracepoint. */
  readonly tracepointFormat: (category: string, name: string) => string | undefined;
}

/** What the kernel can do, each probed or read off its BTF, never off its version. */
export interface Features {
  /** Atomic operations that give the value before, xchg, cmpxchg (ISA v3, Linux 5.12). */
  readonly fetchAtomics: boolean;
  /** movsx, ldsx, bswap, sdiv, smod, gotol (ISA v4, Linux 6.6). */
  readonly isaV4: boolean;
  /** bpf_probe_read_kernel and its kin (Linux 5.5). */
  readonly probeReadKernel: boolean;
  /** bpf_get_current_task_btf (Linux 5.11). */
  readonly currentTaskBtf: boolean;
  /** bpf_for_each_map_elem (Linux 5.13). */
  readonly forEachMapElem: boolean;
  /** bpf_loop (Linux 5.17). */
  readonly loop: boolean;
  /** bpf_rdonly_cast (Linux 6.2). */
  readonly rdonlyCast: boolean;
  /** bpf_iter_num_new, _next, _destroy (Linux 6.4). */
  readonly iterNum: boolean;
}

/** Whether the kernel turns loops itself: by an iterator or a helper. Each is asked for only when it matters. */
export function turnsLoops(features: Pick<Features, "iterNum" | "loop">): boolean {
  return features.iterNum || features.loop;
}

/**
 * Whether the kernel may take two ways for alike on which the caller of a function has different numbers in its registers. Before
 * Linux 6.2, when it comes to where it has been within a called function, it notes what was decided there by the function's
 * registers, and not what was by its caller's: it took turns of a loop for the same ("infinite loop detected"), and removed
 * branches that were taken (both seen on Linux 6.1). What has been there since shortly after is what is asked for.
 */
export function mistakesCallers({ iterNum }: Pick<Features, "iterNum">): boolean {
  return !iterNum;
}
