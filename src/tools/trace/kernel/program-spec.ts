import type { Instruction, ProgramSpec } from "../../../sdk/index.ts";

/** One of the trace programs: they are all raw tracepoints. */
export function programSpec(name: string, instructions: readonly Instruction[]): ProgramSpec {
  return { type: "raw_tracepoint", name: `skep_${name}`, instructions, license: "Dual MIT/GPL" };
}
