import { loadedBtf, openProgram, type ProgramDetails } from "../../sdk/index.ts";

/** The name of the function or tracepoint that a program was loaded for; undefined for none, and where it cannot be told. */
export function targetOf({ attachTarget }: ProgramDetails): string | undefined {
  if (attachTarget === undefined) return undefined;
  try {
    const { name } = loadedBtf(attachTarget.btfId).type(attachTarget.typeId);
    // What stands for a tracepoint in the kernel's types.
    return name.replace(/^btf_trace_/, "");
  } catch {
    // A module that is gone meanwhile, or a kernel without its types.
    return undefined;
  }
}

/** `targetOf` of a program by its id. */
export function targetOfProgram(id: number): string | undefined {
  try {
    using program = openProgram(id);
    return targetOf(program.details());
  } catch {
    // Gone meanwhile.
    return undefined;
  }
}
