import { BpfAttr, type Fd, kernelSince, Pins, SystemError } from "../sys/index.ts";
import type { LinkDetails } from "./link-details.ts";
import { linkInfo } from "./link-info.ts";

/** What an attachment is made of. */
export interface LinkParts {
  /** The BPF link, where the kernel made one. */
  readonly link?: Fd;
  /** Other descriptors that keep it: perf events. */
  readonly others?: readonly Fd[];
  /** Takes back what no descriptor holds: filters of tc, attachments of old kernels. Never throws. */
  readonly undo?: () => void;
}

/** What can stand at a link: a program, or for tables of functions (struct_ops) a map of them. */
export interface Replacement {
  readonly fd: Fd;
  readonly name: string;
}

const EPERM = 1;
const EINVAL = 22;
/** BPF_F_REPLACE: only when the old program is the one that is named. */
const REPLACE = 4;

/**
 * An attachment of a program. Closing it detaches, unless it is pinned or somebody else holds it, too (`openLink`); a
 * process that ends closes all it has, but for what old kernels keep (see the attach kinds that say so). Closing twice does
 * nothing.
 */
export class Link {
  /** What is attached to what, for people. */
  readonly description: string;
  /** Where it is pinned, as far as this object knows. */
  readonly pins: Pins = new Pins();
  readonly #parts: LinkParts;
  #closed = false;

  constructor(description: string, parts: readonly Fd[] | LinkParts) {
    this.description = description;
    this.#parts = Array.isArray(parts) ? { others: parts } : (parts as LinkParts);
  }

  /** The BPF link's descriptor; undefined where the kernel has no links for this kind. */
  get fd(): Fd | undefined {
    return this.#parts.link;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What the kernel tells of it (Linux 5.8), by `type`. Throws SystemError, TypeError where the kernel keeps no BPF link. */
  details(): LinkDetails {
    return linkInfo(this.#link("look at"));
  }

  /**
   * Puts another program in the place of the attached one, with no moment between them (BPF_LINK_UPDATE, Linux 5.7).
   * cgroup, XDP, tcx, netkit, netns, iterator and sockmap links can, and struct_ops links by another map of the table;
   * tracing links cannot (EINVAL). With `old` only when that one is attached, so that of two who update neither undoes the
   * other's work unseen: EPERM otherwise (cgroup, XDP, tcx, netkit, netns, sockmap, struct_ops). Throws SystemError, and the
   * attached program stays.
   */
  update(program: Replacement, options: { readonly old?: Replacement } = {}): void {
    const { old } = options;
    const attr = new BpfAttr().u32(0, this.#link("update").number).u32(4, program.fd.number);
    if (old !== undefined) attr.u32(8, REPLACE).u32(12, old.fd.number);
    const result = attr.call("BPF_LINK_UPDATE");
    if (result >= 0) return;
    const isOther = result === -EPERM && old !== undefined;
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_LINK_UPDATE)",
      doing: `put program "${program.name}" in the place of the one at ${this.description}`,
      hint: isOther
        ? `Program "${old.name}" is not the one that is attached: somebody put another there.`
        : result === -EINVAL
          ? (kernelSince("Updates of links", "5.7") ??
            "Links of this kind cannot be updated: attach the new program beside the old one. Or the program is of another type than the link.")
          : undefined,
      ...(!isOther && { needs: ["CAP_BPF"] as const }),
    });
  }

  /** Keeps the attachment alive under a path of a bpffs after this process (BPF_OBJ_PIN, Linux 5.7). Throws SystemError. */
  pin(path: string): void {
    this.pins.pin(this.#link("pin"), path, this.description);
  }

  /** Removes the files it was pinned at or opened from by this object; it lasts as long as somebody holds it. */
  unpin(): void {
    this.pins.unpin();
  }

  /**
   * Detaches at once, even where the link is pinned or others hold it (BPF_LINK_DETACH, Linux 5.9; cgroup, netns, XDP, tcx,
   * netkit, sockmap and, from 6.10 on, struct_ops links). Throws SystemError EOPNOTSUPP for other kinds.
   */
  detach(): void {
    const result = new BpfAttr().u32(0, this.#link("detach").number).call("BPF_LINK_DETACH");
    if (result >= 0) return;
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_LINK_DETACH)",
      doing: `detach ${this.description}`,
      hint:
        kernelSince("Detaching by force", "5.9") ??
        "Links of this kind last until nobody holds them: close every descriptor, and remove every pin.",
      needs: ["CAP_BPF"],
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { link, others, undo } = this.#parts;
    link?.close();
    for (const fd of others ?? []) fd.close();
    undo?.();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #link(verb: string): Fd {
    const { link } = this.#parts;
    if (link === undefined)
      throw new TypeError(`Cannot ${verb} ${this.description}: the kernel keeps no BPF link for it.`);
    return link;
  }
}
