import { BpfAttr, Fd, idsOf, SystemError } from "../sys/index.ts";

/** A descriptor of the map with an id (BPF_MAP_GET_FD_BY_ID, Linux 4.13). Needs CAP_SYS_ADMIN. */
export function openMapId(id: number): Fd {
  const result = new BpfAttr().u32(0, id).u32(4, 0).u32(8, 0).call("BPF_MAP_GET_FD_BY_ID");
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_MAP_GET_FD_BY_ID)",
      doing: `open map ${id}`,
      hint: result === -2 ? "There is no map with this id any more." : undefined,
      needs: ["CAP_SYS_ADMIN"],
    });
  return new Fd(result, `map ${id}`);
}

/** The ids of all maps that there are, in ascending order. Needs CAP_SYS_ADMIN; throws SystemError EPERM without. */
export function mapIds(): IterableIterator<number> {
  return idsOf("BPF_MAP_GET_NEXT_ID");
}
