import { AttachType, type ProgramSpec, sectionMeaning } from "../../object/spec/index.ts";
import { BpfAttr } from "../sys/index.ts";
import { attemptWith, closeResult } from "./probe/attempt.ts";

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
 * thread (mended in 6.10 and some stable kernels, which also refuse a process that cannot be). Nothing is attached: "/" is no
 * file to put a probe in.
 */
function probeUprobeMulti(): boolean {
  const ask = (pid: number) =>
    attemptWith({ type: "kprobe", expectedAttachType: "trace_uprobe_multi" }, (fd) => {
      const attr = new BpfAttr().u32(0, fd).u32(8, AttachType.trace_uprobe_multi).cString(16, "/");
      attr.pointer(24, new Uint8Array(8)).u32(48, 1).u32(56, pid);
      return closeResult(attr.call("BPF_LINK_CREATE"), "trial link");
    });
  return ask(0) === -EBADF && ask(NO_PROCESS) === -EINVAL;
}
