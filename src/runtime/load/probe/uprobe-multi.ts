import { AttachType, type AttachTypeName } from "../../../object/spec/index.ts";
import { BpfAttr } from "../../sys/index.ts";
import { attemptWith, closeResult } from "./attempt.ts";

/**
 * The errno of a uprobe.multi link in "/", which is no file to put a probe in: EBADF of a kernel that knows the attach type and
 * takes the process. Nothing is attached.
 */
export function tryUprobeMulti(attachType: AttachTypeName, process = 0): number {
  return -attemptWith({ type: "kprobe", expectedAttachType: attachType }, (fd) => {
    const attr = new BpfAttr().u32(0, fd).u32(8, AttachType[attachType]).cString(16, "/");
    attr.pointer(24, new Uint8Array(8)).u32(48, 1).u32(56, process);
    return closeResult(attr.call("BPF_LINK_CREATE"), "trial link");
  });
}
