import { closeSync, openSync } from "node:fs";
import { BpfAttr } from "./bpf.ts";
import { Fd } from "./fd.ts";
import { kernelSince } from "./kernel-version.ts";
import { SystemError } from "./system-error.ts";

/** BPF_F_TOKEN_FD: a token stands beside. */
export const TOKEN_FLAG = 1 << 16;

/**
 * A token of the rights that a bpffs delegates to its user namespace (BPF_TOKEN_CREATE, Linux 6.9): what an administrator
 * mounted with `delegate_cmds`, `delegate_maps`, `delegate_progs` and `delegate_attachs` for a container. With it, a process
 * that has CAP_BPF only in its own namespace loads what it may. `bpffs`: a path in the mount, or a descriptor of it. The
 * caller closes it. Throws SystemError: EPERM or EOPNOTSUPP outside of such a namespace, ENOENT when nothing is delegated.
 */
export function createToken(bpffs: string | number): Fd {
  const fd = typeof bpffs === "number" ? bpffs : openSync(bpffs, "r");
  try {
    const result = new BpfAttr().u32(0, 0).u32(4, fd).call("BPF_TOKEN_CREATE");
    if (result < 0)
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_TOKEN_CREATE)",
        doing: `take a token from ${typeof bpffs === "number" ? "a bpffs" : bpffs}`,
        hint:
          kernelSince("BPF tokens", "6.9") ??
          (result === -ENOENT
            ? "The bpffs delegates nothing: mount it with delegate_cmds, delegate_maps, delegate_progs, delegate_attachs."
            : "It must be the root of a bpffs that was mounted for this process's user namespace, with rights delegated to it."),
      });
    return new Fd(result, "a BPF token");
  } finally {
    if (typeof bpffs === "string") closeSync(fd);
  }
}

const ENOENT = 2;
