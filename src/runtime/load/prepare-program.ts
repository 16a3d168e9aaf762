import type { Instruction } from "../../object/asm/index.ts";
import { type CoreResolver, MACHINE_ORDER } from "../../object/btf/index.ts";
import {
  type ObjectSpec,
  type ProgramCode,
  type ProgramSpec,
  rawOf,
  withInstructions,
} from "../../object/spec/index.ts";
import { attachTarget, type TargetProgram } from "./attach-target.ts";
import type { Extern } from "./externs.ts";
import { type FitContext, type FittedCode, fitInstructions, fitRaw } from "./fit-code.ts";
import type { KernelTypeId, KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";
import { own } from "./own.ts";
import type { ProgramInfo } from "./program-info.ts";
import type { StructOpsTarget } from "./struct-ops.ts";

/** A program fitted to this kernel: only maps' descriptors are missing. */
export interface PreparedProgram {
  /** As they are loaded; made when they are looked at. Where something is missing they keep its name, for the verifier's errors. */
  readonly instructions: readonly Instruction[];
  readonly code: ProgramCode;
  readonly info: ProgramInfo | undefined;
  readonly attach: KernelTypeId | undefined;
  /** For struct_ops: which member of the kernel's structure it is. */
  readonly member: number | undefined;
  /** Modules whose functions it calls, in the order of its array of descriptors, from index 1 on. */
  readonly modules: readonly string[];
}

/** What all programs of an object share while they are prepared. */
export interface Preparation {
  readonly kernel: KernelTypes;
  readonly externs: ReadonlyMap<string, Extern>;
  /** Undefined in an object without types. */
  readonly resolver: CoreResolver | undefined;
  /** Offsets of strings in the types that are loaded; undefined when none are. */
  readonly strings: () => ReadonlyMap<string, number> | undefined;
  /** Targets of the programs in tables of functions. */
  readonly structOps: ReadonlyMap<string, StructOpsTarget>;
  /** Loaded programs that those of the object are for, by their name. */
  readonly targets?: Readonly<Record<string, TargetProgram>> | undefined;
}

/**
 * Carries out CO-RE relocations, puts in what the program wants of the kernel by name, and finds what it attaches to.
 * Loads nothing. Throws CoreError and ObjectError.
 */
export function prepareProgram(
  name: string,
  program: ProgramSpec,
  object: ObjectSpec,
  preparation: Preparation,
): PreparedProgram {
  if (program.type === "unspec") {
    throw new ObjectError(
      `Program "${name}" is in section "${program.section ?? ""}", which is no kind of program: SEC("kprobe/…"), SEC("xdp"), SEC("tracepoint/…") and so on; or set its type in the spec.`,
    );
  }
  const { kernel, externs, resolver, strings } = preparation;
  const modules: string[] = [];
  const context: FitContext = {
    program: name,
    types: object.btf === undefined || resolver === undefined ? undefined : { local: object.btf, resolver },
    externs,
    moduleIndex(module: string) {
      if (!modules.includes(module)) modules.push(module);
      return modules.indexOf(module) + 1;
    },
    moduleFd: (module: string) => kernel.moduleFd(module).number,
  };
  const fitted = fitProgram(program, object, context, strings);
  const table = program.type === "struct_ops" ? preparation.structOps.get(name) : undefined;
  if (program.type === "struct_ops" && table === undefined && program.attachBtfId === undefined)
    throw new ObjectError(
      `Program "${name}" is a struct_ops program, and no table of functions of the object has it (SEC(".struct_ops")): what it is for is not known.`,
    );
  const attach = table?.attach ?? attachTarget(name, program, kernel, own(preparation.targets, name));
  const { code, info } = fitted;
  return withInstructions({ code, info, attach, member: table?.index, modules }, fitted.instructions);
}

/** From the program as it is in its file, as long as that is what is to be loaded and it is about these types. */
function fitProgram(
  program: ProgramSpec,
  { btf }: ObjectSpec,
  context: FitContext,
  strings: () => ReadonlyMap<string, number> | undefined,
): FittedCode {
  const raw = rawOf(program);
  return raw !== undefined && raw.btf === btf && MACHINE_ORDER === "little"
    ? fitRaw(raw, context)
    : fitInstructions(program.instructions, context, strings());
}
