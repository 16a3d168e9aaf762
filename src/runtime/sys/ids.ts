import { BpfAttr, type BpfCommandName } from "./bpf.ts";
import { SystemError } from "./system-error.ts";

type NextId = Extract<BpfCommandName, `${string}_GET_NEXT_ID`>;

/**
 * The ids of all maps, programs, links or BTF objects that there are, in ascending order; those made meanwhile may be among
 * them. Throws SystemError EPERM without CAP_SYS_ADMIN.
 */
export function* idsOf(command: NextId): IterableIterator<number> {
  for (let id = 0; ; ) {
    // start_id, and next_id behind it. The block is read at once: the caller may make calls between two steps.
    const attr = new BpfAttr().u32(0, id).u32(4, 0);
    const result = attr.call(command);
    if (result === -2) return;
    if (result < 0)
      throw new SystemError({
        errno: -result,
        syscall: `bpf(${command})`,
        doing: "list ids",
        needs: ["CAP_SYS_ADMIN"],
      });
    id = attr.read32(4);
    yield id;
  }
}
