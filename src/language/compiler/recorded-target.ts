import { type HelperName, helperSince } from "../../object/asm/index.ts";
import { Btf } from "../../object/btf/index.ts";
import type { ProgramTypeName } from "../../object/spec/index.ts";
import type { Features, Target } from "./target.ts";
import { isNewer } from "./version.ts";

/** A kernel that is not there, and cannot be compiled for. */
export class TargetError extends Error {
  override readonly name = "TargetError";
  readonly code = "SKEP_TARGET";
}

/** What the compiler wants to know of a kernel, recorded: plain data, for compiling where that kernel is not. */
export interface RecordedTarget {
  readonly release: string;
  readonly arch: Target["arch"];
  readonly cpus: number;
  readonly features: Features;
  /** Helpers by the types of programs that may call them. */
  readonly helpers: Readonly<Record<string, readonly string[]>>;
  /** Texts of tracepoints' `format` files, by `category/name`. */
  readonly formats: Readonly<Record<string, string>>;
  /** The kernel's own types; undefined where it has none. */
  readonly btf: Uint8Array | undefined;
}

/** A recorded kernel as one to compile for. Throws BtfError for types that are none. */
export function targetOf({ helpers, formats, btf, ...record }: RecordedTarget): Target {
  const lists = new Map(Object.entries(helpers).map(([type, names]) => [type, new Set(names)]));
  return {
    ...record,
    byteOrder: "little",
    btf: btf === undefined ? undefined : Btf.parse(btf),
    hasHelper: (name, type) => lists.get(type)?.has(name) ?? false,
    tracepointFormat: (category, name) => {
      const event = `${category}/${name}`;
      return Object.hasOwn(formats, event) ? formats[event] : undefined;
    },
  };
}

/**
 * A kernel by its types alone (`/sys/kernel/btf/vmlinux` of it) and its version: what it can do follows from both. The fields of
 * tracepoints it does not tell: asked for one, it throws TargetError. Throws BtfError for types that are none.
 */
export function targetOfTypes(bytes: Uint8Array, release: string): Target {
  const btf = Btf.parse(bytes);
  const id = btf.find("bpf_func_id", "enum");
  const listed = id === undefined ? undefined : btf.type(id);
  const names = new Set(listed?.kind === "enum" ? listed.values.map(({ name }) => name) : []);
  const since = (version: string) => !isNewer(version, release);
  const hasHelper = (name: HelperName, _type: ProgramTypeName = "tracepoint") =>
    names.size > 0 ? names.has(`BPF_FUNC_${name}`) : since(helperSince(name) ?? "4.0");
  const registers = btf.find("pt_regs", "struct");
  const type = registers === undefined ? undefined : btf.type(registers);
  const isArm = type?.kind === "struct" && !type.members.some(({ name }) => name === "di");
  return {
    arch: isArm ? "arm64" : "x64",
    byteOrder: "little",
    btf,
    release,
    cpus: 1,
    features: {
      fetchAtomics: since("5.12"),
      isaV4: since("6.6"),
      probeReadKernel: hasHelper("probe_read_kernel"),
      currentTaskBtf: hasHelper("get_current_task_btf"),
      forEachMapElem: hasHelper("for_each_map_elem"),
      loop: hasHelper("loop"),
      rdonlyCast: btf.offsetOf("bpf_rdonly_cast") !== undefined,
      iterNum: btf.offsetOf("bpf_iter_num_new") !== undefined,
    },
    hasHelper,
    tracepointFormat: (category, name) => {
      throw new TargetError(
        `The fields of tracepoint ${category}:${name} are not in the kernel's types: record the kernel where it runs, with skep check --record-target FILE (as root), and check for that.`,
      );
    },
  };
}
