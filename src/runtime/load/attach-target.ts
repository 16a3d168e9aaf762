import { MULTI_TRACING, type ProgramSpec } from "../../object/spec/index.ts";
import { type Fd, programFunction } from "../sys/index.ts";
import type { KernelTypeId, KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";

/** Program types whose target is a type of the kernel, named by number when they are loaded. */
export function attachesByType(spec: ProgramSpec): boolean {
  return spec.type === "tracing" || spec.type === "lsm";
}

/** A loaded program that others are attached to. */
export interface TargetProgram {
  readonly fd: Fd;
  readonly name: string;
}

/**
 * The kernel's type that a program attaches to, found by the name in its section (`module:name` looks into one module
 * only); or with `target` the function of that name in another program, or that program itself. Undefined for programs that
 * name none. Throws ObjectError where the kernel has no such target, ProgramFunctionError where the program has not.
 */
export function attachTarget(
  name: string,
  spec: ProgramSpec,
  kernel: KernelTypes,
  target?: TargetProgram,
): KernelTypeId | undefined {
  if (spec.attachBtfId !== undefined) return undefined;
  if (target !== undefined && (spec.type === "ext" || spec.type === "tracing"))
    return { id: programFunction(target, spec.attachTo || undefined), program: target.fd };
  if (spec.type === "ext") {
    throw new ObjectError(
      `Program "${name}" replaces a function of another program (SEC("freplace/FUNCTION")): give that program when it is loaded, loadObject(…, { targets: { ${name}: other.programs.NAME } }).`,
    );
  }
  if (target !== undefined)
    throw new ObjectError(`Program "${name}" is of type ${spec.type}, which is not attached to other programs.`);
  if (!attachesByType(spec)) return undefined;
  if (spec.expectedAttachType !== undefined && MULTI_TRACING.has(spec.expectedAttachType)) {
    // The functions are named when it is attached; here only whose they are.
    const [module] = splitModule(spec.attachTo ?? "");
    return module === undefined ? undefined : { id: 0, module };
  }
  if (spec.attachTo === undefined || spec.attachTo === "") {
    throw new ObjectError(
      `Program "${name}" does not say what it attaches to: write it behind the kind, as in SEC("fentry/FUNCTION"), or set attachTo in the spec.`,
    );
  }
  const [module, wantedName] = splitModule(spec.attachTo);
  const [prefix, kind] = naming(spec);
  const wanted = `${prefix}${wantedName}`;
  const found = module === undefined ? kernel.find(wanted, kind) : findInModule(kernel, module, wanted, kind);
  if (found !== undefined) return found;
  const what =
    kind === "typedef"
      ? "tracepoint"
      : spec.type === "lsm"
        ? "LSM hook"
        : spec.expectedAttachType === "trace_iter"
          ? "iterator"
          : "function";
  throw new ObjectError(
    `Program "${name}" attaches to ${what} ${spec.attachTo}, which this kernel's types do not have${module === undefined ? "" : ` in module ${module}`}: it was renamed, inlined or not built in.`,
  );
}

/** `MODULE:NAME`, or the name alone. */
export function splitModule(text: string): readonly [module: string | undefined, name: string] {
  const [, module, name = ""] = /^(?:([^:]+):)?(.*)$/s.exec(text) ?? [];
  return [module, name];
}

/** How the kernel's types name what a kind of program attaches to. */
function naming({ type, expectedAttachType }: ProgramSpec): readonly [prefix: string, kind: "function" | "typedef"] {
  if (expectedAttachType === "trace_raw_tp") return ["btf_trace_", "typedef"];
  if (type === "lsm") return ["bpf_lsm_", "function"];
  if (expectedAttachType === "trace_iter") return ["bpf_iter_", "function"];
  return ["", "function"];
}

function findInModule(
  kernel: KernelTypes,
  module: string,
  name: string,
  kind: "function" | "typedef",
): KernelTypeId | undefined {
  if (module === "vmlinux") {
    const id = kernel.vmlinux.find(name, kind);
    return id === undefined ? undefined : { id };
  }
  const types = kernel.modules.find((one) => one.name === module)?.btf;
  const id = types?.findAll(name, kind).find((one) => one >= (types?.firstId ?? 0));
  return id === undefined ? undefined : { id, module };
}
