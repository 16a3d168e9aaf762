import type { Instruction } from "../../object/asm/index.ts";
import type { CoreResolver } from "../../object/btf/index.ts";
import {
  encodeProgram,
  type ObjectSpec,
  type ProgramCode,
  type ProgramSpec,
  relocateCore,
} from "../../object/spec/index.ts";
import { attachTarget, type TargetProgram } from "./attach-target.ts";
import { bindExtern, type Extern } from "./externs.ts";
import type { KernelTypeId, KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";
import { own } from "./own.ts";
import { type ProgramInfo, programInfo } from "./program-info.ts";
import type { StructOpsTarget } from "./struct-ops.ts";

/** A program fitted to this kernel: only maps' descriptors are missing. */
export interface PreparedProgram {
  /** As they are loaded. Where something is missing they keep its name, for the verifier's errors. */
  readonly instructions: readonly Instruction[];
  readonly code: ProgramCode;
  readonly info: ProgramInfo | undefined;
  readonly attach: KernelTypeId | undefined;
  /** For struct_ops: which member of the kernel's structure it is. */
  readonly member?: number;
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
  readonly strings: ReadonlyMap<string, number> | undefined;
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
  const context = {
    externs,
    moduleIndex(module: string) {
      if (!modules.includes(module)) modules.push(module);
      return modules.indexOf(module) + 1;
    },
    moduleFd: (module: string) => kernel.moduleFd(module).number,
  };
  const relocated =
    object.btf === undefined || resolver === undefined
      ? program.instructions
      : relocateCore(name, program.instructions, object.btf, resolver);
  const instructions = relocated.map((instruction) => bindExtern(instruction, context));
  const table = program.type === "struct_ops" ? preparation.structOps.get(name) : undefined;
  if (program.type === "struct_ops" && table === undefined && program.attachBtfId === undefined)
    throw new ObjectError(
      `Program "${name}" is a struct_ops program, and no table of functions of the object has it (SEC(".struct_ops")): what it is for is not known.`,
    );
  return {
    instructions,
    code: encodeProgram(instructions),
    info: strings === undefined ? undefined : programInfo(instructions, strings),
    attach: table?.attach ?? attachTarget(name, program, kernel, own(preparation.targets, name)),
    ...(table !== undefined && { member: table.index }),
    modules,
  };
}
