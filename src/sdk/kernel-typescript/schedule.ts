import type { Schedule } from "../../language/kernel/index.ts";
import { attachPerfEvents, type Link } from "../../runtime/link/index.ts";
import type { Program } from "../../runtime/load/index.ts";
import { onlineCpus } from "../../runtime/map/index.ts";

/** Has a program run by a clock: so many times a second on each CPU (or some, or for one process), or on one CPU at intervals. */
export function attachSchedule(
  program: Program,
  schedule: Schedule,
  { pid, cpus = onlineCpus() }: { readonly pid?: number; readonly cpus?: readonly number[] } = {},
): Link {
  if (schedule.kind === "interval") {
    const [first = 0] = onlineCpus();
    return attachPerfEvents(program, [first], { event: "cpuClock", period: schedule.ms * 1_000_000 });
  }
  const ofOne = pid === undefined ? {} : { pid };
  return attachPerfEvents(program, cpus, { event: "cpuClock", frequency: schedule.hz, ...ofOne });
}
