import type { ProgramSpec } from "../../object/spec/index.ts";
import { type Fd, idsOf, openId, openPin } from "../sys/index.ts";
import { Program } from "./program.ts";
import { programDetails } from "./program-details.ts";

/** The ids of all loaded programs, in ascending order. Needs CAP_SYS_ADMIN; throws SystemError EPERM without. */
export function programIds(): IterableIterator<number> {
  return idsOf("BPF_PROG_GET_NEXT_ID");
}

/**
 * Opens a loaded program by its id (`programIds()`, `ReferenceMap.idOf`), to look at it, run it or attach it. `spec` has its
 * type and name only; its instructions are read back by `dumpProgram`. The caller closes it. Throws SystemError ENOENT when
 * there is none of this id. Needs CAP_SYS_ADMIN.
 */
export function openProgram(id: number): Program {
  return live(openId("BPF_PROG_GET_FD_BY_ID", id, "program"));
}

/**
 * Opens a program pinned in a bpffs, as `openProgram` does; `unpin()` removes the pin. The caller closes it. Throws SystemError
 * ENOENT when nothing is pinned there, TypeError when it is no program. Needs CAP_BPF.
 */
export function openPinnedProgram(path: string): Program {
  const program = live(openPin(path, "program"));
  program.pins.add(program.fd, path);
  return program;
}

function live(fd: Fd): Program {
  try {
    const { type, name } = programDetails({ fd });
    return new Program(name, { type, name, instructions: [], license: "" } satisfies ProgramSpec, fd);
  } catch (error) {
    fd.close();
    throw error;
  }
}
