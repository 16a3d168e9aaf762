import { openSync } from "node:fs";
import { AttachType, type AttachTypeName } from "../../object/spec/index.ts";
import { BpfAttr, Fd, kernelSince } from "../sys/index.ts";
import { type AnchorOptions, type Placement, placementOf } from "./anchor.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { Link } from "./link.ts";
import { queryPrograms } from "./query.ts";

const ENOENT = 2;
const EINVAL = 22;
/** BPF_F_ALLOW_MULTI: beside programs that are there. */
const ALLOW_MULTI = 2;
/** BPF_F_REPLACE: in the place of one that is there. */
const REPLACE = 4;

/** How `attachCgroup` attaches, and where among the programs that are there. */
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
   * `replace` means. The kernel places links beside links, and what is attached in this way beside programs.
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
  const placement = placementOf(options);
  const { given, flags, fill, hints } = placement;
  const isLink = replace === undefined && through !== "attach";
  if (given && replace !== undefined)
    throw new TypeError("A program that takes another's place has no other: give one.");
  if (replace !== undefined && through === "link")
    throw new TypeError("What is attached by a link is replaced with its update().");
  if (placement.beside !== undefined && (placement.beside === "link") !== isLink)
    throw new TypeError(
      isLink
        ? 'In cgroups a link can only be placed beside a link: give the link instead of its program, or through: "attach".'
        : "In cgroups what is attached without a link can only be placed beside a program.",
    );
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
    // A kernel without revisions would not look at one, and attach all the same.
    const { expectedRevision } = options;
    if (expectedRevision !== undefined && queryPrograms({ cgroup, attachType }).revision === undefined)
      throw attachError(program, request, "bpf(BPF_PROG_QUERY)", EINVAL);
    if (isLink) {
      const result = tryCreateLink(program, request);
      if (result >= 0) {
        cgroup.close();
        return new Link(request.description, { link: linkFd(program, request, result) });
      }
      if (result !== -EINVAL || attachType === "lsm_cgroup" || given || through === "link")
        throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -result);
    }
    return attachWithoutLink(program, cgroup, request, placement, replace);
  } catch (error) {
    cgroup.close();
    throw error;
  }
}

/** BPF_PROG_ATTACH: kernels before 5.7. */
function attachWithoutLink(
  program: Attachable,
  cgroup: Fd,
  request: LinkRequest,
  placement: Placement,
  replace: Attachable | undefined,
): Link {
  const attributes = (fd: Fd, flags: number) =>
    new BpfAttr().u32(0, cgroup.number).u32(4, fd.number).u32(8, AttachType[request.attachType]).u32(12, flags);
  const attr = attributes(program.fd, ALLOW_MULTI | placement.flags | (replace === undefined ? 0 : REPLACE));
  if (replace !== undefined) attr.u32(16, replace.fd.number);
  placement.fill(attr, "BPF_PROG_ATTACH");
  const result = attr.call("BPF_PROG_ATTACH");
  if (result < 0) throw attachError(program, request, "bpf(BPF_PROG_ATTACH)", -result);
  // Detaching names the program, which its owner may have closed by then.
  const kept = program.fd.duplicate();
  const undo = () => {
    attributes(kept, 0).call("BPF_PROG_DETACH");
    kept.close();
    cgroup.close();
  };
  return new Link(request.description, { undo });
}
