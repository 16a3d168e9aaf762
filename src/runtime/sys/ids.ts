import { BpfAttr, type BpfCommandName } from "./bpf.ts";
import { Fd } from "./fd.ts";
import { kernelSince } from "./kernel-version.ts";
import { SystemError } from "./system-error.ts";

type NextId = Extract<BpfCommandName, `${string}_GET_NEXT_ID`>;
type FdById = Extract<BpfCommandName, `${string}_GET_FD_BY_ID`>;

const ENOENT = 2;

/** Why a command that lists or opens links is refused: they got ids after all others did. */
function since(command: NextId | FdById): string | undefined {
  return command.startsWith("BPF_LINK") ? kernelSince("Ids of links", "5.8") : undefined;
}

/** The lowest id above `id` of a kind of object, or −errno: ENOENT when there is none. */
export function nextId(command: NextId, id: number): number {
  // start_id, and next_id behind it.
  const attr = new BpfAttr().u32(0, id).u32(4, 0);
  const result = attr.call(command);
  return result < 0 ? result : attr.read32(4);
}

/**
 * The ids of all maps, programs, links or BTF objects that there are, in ascending order; those made meanwhile may be among
 * them. Throws SystemError EPERM without CAP_SYS_ADMIN.
 */
export function* idsOf(command: NextId): IterableIterator<number> {
  for (let id = 0; ; ) {
    id = nextId(command, id);
    if (id === -ENOENT) return;
    if (id < 0)
      throw new SystemError({
        errno: -id,
        syscall: `bpf(${command})`,
        doing: "list ids",
        hint: since(command),
        needs: ["CAP_SYS_ADMIN"],
      });
    yield id;
  }
}

/** A descriptor of the object with an id (Linux 4.13); `what` it is, in a word. Throws SystemError; needs CAP_SYS_ADMIN. */
export function openId(command: FdById, id: number, what: string): Fd {
  const result = new BpfAttr().u32(0, id).u32(4, 0).u32(8, 0).call(command);
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: `bpf(${command})`,
      doing: `open ${what} ${id}`,
      hint: result === -ENOENT ? `There is no ${what} with this id (any more).` : since(command),
      needs: ["CAP_SYS_ADMIN"],
    });
  return new Fd(result, `${what} ${id}`);
}
