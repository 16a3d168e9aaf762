import { type ProgramSpec, ProgramType, type ProgramTypeName, uapiName } from "../../object/spec/index.ts";
import { type Fd, idsOf, objectInfo, openId } from "../sys/index.ts";
import { Program } from "./program.ts";

/** What the kernel tells of a loaded program. */
export interface ProgramDetails {
  /** Its number, as long as it lives; other tools name it by that. */
  readonly id: number;
  readonly type: ProgramTypeName;
  /** Up to 15 characters. */
  readonly name: string;
  /** A hash of its instructions, in hexadecimal: the same code has the same. */
  readonly tag: string;
  /** Bytes of its instructions after the verifier's changes, and of the machine code; 0 where the kernel does not say. */
  readonly translatedBytes: number;
  readonly machineBytes: number;
  /** Nanoseconds since the machine's start (CLOCK_BOOTTIME). */
  readonly loadedAt: bigint;
  /** The ids of the maps it uses. */
  readonly mapIds: readonly number[];
  /** The id of the types it was loaded with; 0 for none. */
  readonly btfId: number;
}

// struct bpf_prog_info as far as its btf_id (linux/bpf.h).
const SIZE = 136;

/** Asks the kernel about a program (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13). Throws SystemError. */
export function programDetails({ fd }: { readonly fd: Fd }): ProgramDetails {
  const first = ask(fd, new Uint32Array(0));
  // The kernel writes the ids where it is told to, and as many as it is told there is room for.
  const maps = new Uint32Array(first.getUint32(52, true));
  const view = maps.length === 0 ? first : ask(fd, maps);
  const bytes = new Uint8Array(view.buffer);
  const number = view.getUint32(0, true);
  const name = Buffer.from(bytes.subarray(64, 80)).toString("latin1");
  return {
    id: view.getUint32(4, true),
    type: uapiName(ProgramType, number, "Program type"),
    name: name.slice(0, name.indexOf("\0")),
    tag: Buffer.from(bytes.subarray(8, 16)).toString("hex"),
    translatedBytes: view.getUint32(20, true),
    machineBytes: view.getUint32(16, true),
    loadedAt: view.getBigUint64(40, true),
    mapIds: [...maps.subarray(0, view.getUint32(52, true))],
    btfId: view.getUint32(128, true),
  };
}

function ask(fd: Fd, maps: Uint32Array): DataView {
  const info = new Uint8Array(SIZE);
  if (maps.length === 0) return objectInfo(fd, info);
  new DataView(info.buffer).setUint32(52, maps.length, true);
  return objectInfo(fd, info, [[56, new Uint8Array(maps.buffer)]]);
}

/** The ids of all loaded programs, in ascending order. Needs CAP_SYS_ADMIN; throws SystemError EPERM without. */
export function programIds(): IterableIterator<number> {
  return idsOf("BPF_PROG_GET_NEXT_ID");
}

/**
 * Opens a loaded program by its id (`programIds()`, `ReferenceMap.idOf`), to look at it, run it or attach it. Its instructions
 * are not read back: `spec` has its type and name only. The caller closes it. Throws SystemError ENOENT when there is none of
 * this id. Needs CAP_SYS_ADMIN.
 */
export function openProgram(id: number): Program {
  const fd = openId("BPF_PROG_GET_FD_BY_ID", id, "program");
  try {
    const { type, name } = programDetails({ fd });
    return new Program(name, { type, name, instructions: [], license: "" } satisfies ProgramSpec, fd);
  } catch (error) {
    fd.close();
    throw error;
  }
}
