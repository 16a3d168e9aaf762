import { openSync } from "node:fs";
import { AttachType, type AttachTypeName } from "../../object/spec/index.ts";
import { BpfAttr, Fd, kernelSince } from "../sys/index.ts";
import { type AnchorOptions, placementOf } from "./anchor.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { Link } from "./link.ts";
import { queryPrograms } from "./query.ts";

const ENOENT = 2;
const EINVAL = 22;
/** BPF_F_ALLOW_MULTI: beside programs that are there. */
const ALLOW_MULTI = 2;
/** BPF_F_REPLACE: in the place of one that is there. */
const REPLACE = 4;

export interface CgroupOptions extends AnchorOptions {
  /** The kind; the program's own when left out. */
  readonly attachType?: AttachTypeName;
  /**
   * Takes the place of this program, which was attached without a link (Linux 5.6): with no moment between them. What is
   * attached by a link is replaced with `Link.update`. ENOENT when it is not attached.
   */
  readonly replace?: Attachable;
  /**
   * `attach` attaches as kernels before 5.7 did: it outlives a process that is killed. By itself the fall-back, and what
   * `replace` means.
   */
  readonly through?: "link" | "attach";
}

/**
 * Attaches a program to a cgroup (v2) by its folder, e.g. `/sys/fs/cgroup/system.slice/x.service`: it runs for all
 * processes in it and below. By a BPF link from Linux 5.7 on; before, an attachment that outlives the process when it is
 * killed. Programs run in the order in which they were attached; `before`, `after` and `position` (Linux 6.17) say another.
 * Needs CAP_BPF and CAP_NET_ADMIN. Throws SystemError. The caller closes the link.
 */
export function attachCgroup(program: Attachable, path: string, options: CgroupOptions = {}): Link {
  const attachType = options.attachType ?? program.spec?.expectedAttachType;
  if (attachType === undefined) {
    throw new TypeError(
      `Program "${program.name}" does not say what it is attached for: give attachType, or expectedAttachType in its spec.`,
    );
  }
  const { replace, through } = options;
  const { given, flags, fill, hints } = placementOf(options);
  if (given && (replace !== undefined || through === "attach"))
    throw new TypeError("Places beside others are for links: give neither replace nor through.");
  if (replace !== undefined && through === "link")
    throw new TypeError("What is attached by a link is replaced with its update().");
  const number = openSync(path, "r");
  // A folder that stays open as long as its attachment may have to be undone.
  const cgroup = new Fd(number, `cgroup ${path}`);
  const request: LinkRequest = {
    description: `${attachType} of cgroup ${path}`,
    attachType,
    target: cgroup.number,
    flags,
    ...(given && { fill }),
    needs: attachType === "lsm_cgroup" ? ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"] : ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: {
      ...hints,
      9: "The folder is no cgroup of version 2 (findmnt -t cgroup2).",
      [EINVAL]:
        (given ? kernelSince("Places among the programs of a cgroup", "6.17") : undefined) ??
        "The program was loaded for another attach type, or this kernel does not know it.",
      ...(replace !== undefined && {
        [ENOENT]: `Program "${replace.name}" is not attached there without a link; a link's is replaced with its update().`,
      }),
    },
  };
  try {
    if (replace === undefined && through !== "attach") {
      // A kernel without revisions would not look at one, and attach all the same.
      const { expectedRevision } = options;
      if (expectedRevision !== undefined && queryPrograms({ cgroup, attachType }).revision === undefined)
        throw attachError(program, request, "bpf(BPF_LINK_CREATE)", EINVAL);
      const result = tryCreateLink(program, request);
      if (result >= 0) {
        cgroup.close();
        return new Link(request.description, { link: linkFd(program, request, result) });
      }
      if (result !== -EINVAL || attachType === "lsm_cgroup" || given || through === "link")
        throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -result);
    }
    return attachWithoutLink(program, cgroup, request, replace);
  } catch (error) {
    cgroup.close();
    throw error;
  }
}

/** BPF_PROG_ATTACH: kernels before 5.7. */
function attachWithoutLink(program: Attachable, cgroup: Fd, request: LinkRequest, replace?: Attachable): Link {
  const command = (name: "BPF_PROG_ATTACH" | "BPF_PROG_DETACH", fd: Fd, flags: number, replaced?: Fd) => {
    const attr = new BpfAttr()
      .u32(0, cgroup.number)
      .u32(4, fd.number)
      .u32(8, AttachType[request.attachType])
      .u32(12, flags);
    if (replaced !== undefined) attr.u32(16, replaced.number);
    return attr.call(name);
  };
  const flags = ALLOW_MULTI | (replace === undefined ? 0 : REPLACE);
  const result = command("BPF_PROG_ATTACH", program.fd, flags, replace?.fd);
  if (result < 0) throw attachError(program, request, "bpf(BPF_PROG_ATTACH)", -result);
  // Detaching names the program, which its owner may have closed by then.
  const kept = program.fd.duplicate();
  const undo = () => {
    command("BPF_PROG_DETACH", kept, 0);
    kept.close();
    cgroup.close();
  };
  return new Link(request.description, { undo });
}
