import { appendFileSync } from "node:fs";
import { noTracefs, readTracefs, tracefsRefusal, tracefsRoot } from "../sys/index.ts";

/** A tracepoint or probe that is not there, or tracefs that is not mounted or not readable. */
export class TracepointError extends Error {
  override readonly name = "TracepointError";
  readonly code = "SKEP_TRACEPOINT";
}

/** The number of an event of tracefs by group and name, whether tracefs is mounted or not. Throws TracepointError. */
export function tracepointId(group: string, name: string): number {
  const tracepoint = `${group}:${name}`;
  let id: string | undefined;
  try {
    id = readTracefs(`events/${group}/${name}/id`);
  } catch {
    throw new TracepointError(`This kernel has no tracepoint ${tracepoint}.`);
  }
  if (id !== undefined) return Number(id);
  throw new TracepointError(
    `The id of tracepoint ${tracepoint} is in tracefs. ${noTracefs()} Raw tracepoints need none.`,
  );
}

let probes = 0;

export interface TracefsProbe {
  /** The number of its event. */
  readonly id: number;
  readonly remove: () => void;
}

/**
 * Defines a probe in tracefs (Documentation/trace/kprobetrace.rst, uprobetracer.rst): how probes were made before
 * perf had devices for them (Linux 4.17). `file` is `kprobe_events` or `uprobe_events`. Probes outlive the process:
 * `remove` takes this one away.
 */
export function defineProbe(file: "kprobe_events" | "uprobe_events", isReturn: boolean, where: string): TracefsProbe {
  const root = tracefsRoot();
  if (root === undefined)
    throw new TracepointError(
      `A probe at ${where} is defined in tracefs, as perf has no device for it here. ${noTracefs()}`,
    );
  const name = `p${process.pid}_${probes++}`;
  const path = `${root}/${file}`;
  try {
    appendFileSync(path, `${isReturn ? "r" : "p"}:skep/${name} ${where}\n`);
  } catch (error) {
    const refusal = (error as NodeJS.ErrnoException).code === "EACCES" ? ` ${tracefsRefusal(path)}` : "";
    throw new TracepointError(
      `The kernel refuses a probe at ${where} (${path}): ${(error as Error).message}.${refusal}`,
    );
  }
  const remove = () => {
    try {
      appendFileSync(path, `-:skep/${name}\n`);
    } catch {
      // Gone already, or somebody holds it: nothing to be done here.
    }
  };
  try {
    return { id: tracepointId("skep", name), remove };
  } catch (error) {
    remove();
    throw error;
  }
}
