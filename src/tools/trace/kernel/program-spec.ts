import type { ProgramSpec } from "../../../sdk/index.ts";

/** One of the trace programs, without its code: raw tracepoints, but for those that see calls where these go through perf. */
export function programSpec(name: string, type: "raw_tracepoint" | "tracepoint"): ProgramSpec {
  return { type, name: `skep_${name}`, instructions: [], license: "Dual MIT/GPL" };
}
