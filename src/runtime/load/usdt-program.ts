import { type ProgramSpec, sectionMeaning } from "../../object/spec/index.ts";
import { tryUprobeMulti } from "./probe/uprobe-multi.ts";

const EBADF = 9;
const EINVAL = 22;
const NO_PROCESS = 0xffff_ffff;

/**
 * A program for probes that are written into others (`SEC("usdt")`) is loaded for uprobe.multi where the kernel has it: one
 * call attaches it to all places of a probe. What the spec says itself stays.
 */
export function fitUsdt(program: ProgramSpec): ProgramSpec {
  const { section, expectedAttachType } = program;
  if (section === undefined || expectedAttachType !== undefined || sectionMeaning(section).kind.usdt !== true)
    return program;
  hasUprobeMulti ??= probeUprobeMulti();
  return hasUprobeMulti ? { ...program, expectedAttachType: "trace_uprobe_multi" } : program;
}

let hasUprobeMulti: boolean | undefined;

/**
 * Whether there is uprobe.multi (Linux 6.6) that takes a process for all its threads: the first kernels with it took the one
 * thread (mended in 6.10 and some stable kernels, which also refuse a process that cannot be).
 */
function probeUprobeMulti(): boolean {
  const kind = "trace_uprobe_multi";
  return tryUprobeMulti(kind) === EBADF && tryUprobeMulti(kind, NO_PROCESS) === EINVAL;
}
