import { BpfAttr, type Fd, SystemError } from "../sys/index.ts";

/** What an attachment is made of. */
export interface LinkParts {
  /** The BPF link, where the kernel made one. */
  readonly link?: Fd;
  /** Other descriptors that keep it: perf events. */
  readonly others?: readonly Fd[];
  /** Takes back what no descriptor holds: filters of tc, attachments of old kernels. Never throws. */
  readonly undo?: () => void;
}

/**
 * An attachment of a program. Closing it detaches, unless it is pinned; a process that ends closes all it has, but for
 * what old kernels keep (see the attach kinds that say so). Closing twice does nothing.
 */
export class Link {
  /** What is attached to what, for people. */
  readonly description: string;
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

  /**
   * Puts another program in the place of the attached one, with no moment between them (BPF_LINK_UPDATE, Linux 5.7).
   * cgroup, XDP, tcx, netkit, netns, iterator and sockmap links can; tracing links cannot (EINVAL). Throws SystemError,
   * and the old program stays.
   */
  update(program: { readonly fd: Fd; readonly name: string }): void {
    const result = new BpfAttr().u32(0, this.#link("update").number).u32(4, program.fd.number).call("BPF_LINK_UPDATE");
    if (result < 0) {
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_LINK_UPDATE)",
        doing: `put program "${program.name}" in the place of the one at ${this.description}`,
        hint:
          result === -22
            ? "Links of this kind cannot be updated: attach the new program beside the old one."
            : undefined,
        needs: ["CAP_BPF"],
      });
    }
  }

  /** Keeps the attachment alive under a path of a bpffs after this process (BPF_OBJ_PIN). */
  pin(path: string): void {
    const result = new BpfAttr().cString(0, path).u32(8, this.#link("pin").number).call("BPF_OBJ_PIN");
    if (result < 0) {
      const doing = `pin ${this.description} at ${path}`;
      throw new SystemError({ errno: -result, syscall: "bpf(BPF_OBJ_PIN)", doing, needs: ["CAP_BPF"] });
    }
  }

  /** Detaches at once, even where the link is pinned (BPF_LINK_DETACH, Linux 5.9; cgroup, netns, XDP and tcx links). */
  detach(): void {
    const result = new BpfAttr().u32(0, this.#link("detach").number).call("BPF_LINK_DETACH");
    if (result < 0) {
      const doing = `detach ${this.description}`;
      throw new SystemError({ errno: -result, syscall: "bpf(BPF_LINK_DETACH)", doing, needs: ["CAP_BPF"] });
    }
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
