import { openSync } from "node:fs";
import { AttachType, type AttachTypeName } from "../../object/spec/index.ts";
import { BpfAttr, Fd } from "../sys/index.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { Link } from "./link.ts";

const EINVAL = 22;
/** BPF_F_ALLOW_MULTI: beside programs that are there. */
const ALLOW_MULTI = 2;

export interface CgroupOptions {
  /** The kind; the program's own when left out. */
  readonly attachType?: AttachTypeName;
}

/**
 * Attaches a program to a cgroup (v2) by its folder, e.g. `/sys/fs/cgroup/system.slice/x.service`: it runs for all
 * processes in it and below. By a BPF link from Linux 5.7 on; before, an attachment that outlives the process when it is
 * killed. Needs CAP_BPF and CAP_NET_ADMIN. The caller closes the link.
 */
export function attachCgroup(program: Attachable, path: string, options: CgroupOptions = {}): Link {
  const attachType = options.attachType ?? program.spec?.expectedAttachType;
  if (attachType === undefined) {
    throw new TypeError(
      `Program "${program.name}" does not say what it is attached for: give attachType, or expectedAttachType in its spec.`,
    );
  }
  const number = openSync(path, "r");
  // A folder that stays open as long as its attachment may have to be undone.
  const cgroup = new Fd(number, `cgroup ${path}`);
  const request: LinkRequest = {
    description: `${attachType} of cgroup ${path}`,
    attachType,
    target: cgroup.number,
    needs: attachType === "lsm_cgroup" ? ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"] : ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: {
      9: "The folder is no cgroup of version 2 (findmnt -t cgroup2).",
      [EINVAL]: "The program was loaded for another attach type, or this kernel does not know it.",
    },
  };
  try {
    const result = tryCreateLink(program, request);
    if (result >= 0) {
      cgroup.close();
      return new Link(request.description, { link: linkFd(program, request, result) });
    }
    if (result !== -EINVAL || attachType === "lsm_cgroup")
      throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -result);
    return attachWithoutLink(program, cgroup, request);
  } catch (error) {
    cgroup.close();
    throw error;
  }
}

/** BPF_PROG_ATTACH: kernels before 5.7. */
function attachWithoutLink(program: Attachable, cgroup: Fd, request: LinkRequest): Link {
  const command = (name: "BPF_PROG_ATTACH" | "BPF_PROG_DETACH", fd: Fd) =>
    new BpfAttr()
      .u32(0, cgroup.number)
      .u32(4, fd.number)
      .u32(8, AttachType[request.attachType])
      .u32(12, name === "BPF_PROG_ATTACH" ? ALLOW_MULTI : 0)
      .call(name);
  const result = command("BPF_PROG_ATTACH", program.fd);
  if (result < 0) throw attachError(program, request, "bpf(BPF_PROG_ATTACH)", -result);
  // Detaching names the program, which its owner may have closed by then.
  const kept = program.fd.duplicate();
  const undo = () => {
    command("BPF_PROG_DETACH", kept);
    kept.close();
    cgroup.close();
  };
  return new Link(request.description, { undo });
}
