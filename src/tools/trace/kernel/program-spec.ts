import type { Instruction, ProgramSpec } from "../../../sdk/index.ts";

/** One of the trace programs: raw tracepoints, but for those that see calls where these go through perf. */
export function programSpec(
  name: string,
  instructions: readonly Instruction[],
  type: "raw_tracepoint" | "tracepoint" = "raw_tracepoint",
): ProgramSpec {
  return { type, name: `skep_${name}`, instructions, license: "Dual MIT/GPL" };
}
