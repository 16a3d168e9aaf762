import type { StructOpsMap } from "../map/index.ts";
import { BpfAttr, Fd, SystemError } from "../sys/index.ts";
import { Link } from "./link.ts";

/** BPF_STRUCT_OPS of enum bpf_attach_type. */
const STRUCT_OPS = 44;

/**
 * Puts a table of functions into force (`.struct_ops`, Linux 5.6; `.struct_ops.link`, Linux 6.4). Closing the link takes it
 * back; one of the first kind also stays in force when the process ends without closing it, as the kernel has no link for it.
 * Throws SystemError: EINVAL when the subsystem refuses the table, EEXIST for a name that is taken. Needs CAP_BPF and what
 * the subsystem asks for (CAP_NET_ADMIN for congestion controls).
 */
export function attachStructOps(map: StructOpsMap): Link {
  const description = `table of functions "${map.name}"`;
  map.register();
  if (!map.linked) return new Link(description, { undo: () => map.unregister() });
  const result = new BpfAttr().u32(0, map.fd.number).u32(4, 0).u32(8, STRUCT_OPS).u32(12, 0).call("BPF_LINK_CREATE");
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_LINK_CREATE)",
      doing: `put ${description} into force`,
      needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    });
  return new Link(description, { link: new Fd(result, description) });
}
