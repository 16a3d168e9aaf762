/** `skep trace` as a library: what a process, a container or a cgroup asks of the kernel. */
export { parseSyscallFilter, SyscallFilterError } from "../../machine/proc/index.ts";
export { probeTrace, type TraceAbility } from "./ability.ts";
export { CommandError, findCommand } from "./command.ts";
export { argsOf, type DecodedCall, formatCall } from "./decode/index.ts";
export { keepCall, type SignalEvent, type ThreadExitEvent, type TracedCall, type TraceSink } from "./events.ts";
export { OutputError } from "./output.ts";
export { parseCalls, parseCompatCalls, runTrace, TargetError, type TraceRequest } from "./run.ts";
export type { TraceLosses } from "./session.ts";
export type { CallStatistics } from "./statistics.ts";
export { type TraceTarget, Tracing, type TracingOptions } from "./tracing.ts";
