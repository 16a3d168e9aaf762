import { ProgramType, type ProgramTypeName, uapiName } from "../../object/spec/index.ts";
import { cText, expectKind, type Fd, objectInfo } from "../sys/index.ts";

/** What the kernel counted for a program; run counts and times only while statistics are enabled (`enableStats`). */
export interface ProgramStats {
  readonly runCount: bigint;
  readonly runTimeNs: bigint;
  /** Runs skipped because the program was already running on that CPU (Linux 5.12; 0 before). */
  readonly recursionMisses: bigint;
}

/** What the kernel tells of a loaded program. */
export interface ProgramDetails extends ProgramStats {
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
  /** Who loaded it. */
  readonly uid: number;
  /** Whether its licence lets it call what is for GPL programs only. */
  readonly gplCompatible: boolean;
  /** How many instructions the verifier went through, on all paths (Linux 5.16; 0 before). */
  readonly verifiedInstructions: number;
  /** For programs offloaded to a network card; 0 for all others. */
  readonly interfaceIndex: number;
  /** The ids of the maps it uses. */
  readonly mapIds: readonly number[];
  /** The id of the types it was loaded with; 0 for none. */
  readonly btfId: number;
  /** The function or tracepoint it was loaded for: the ids of its types and of the type in them (Linux 5.13). */
  readonly attachTarget: { readonly btfId: number; readonly typeId: number } | undefined;
}

/** struct bpf_prog_info (linux/bpf.h): of kernels that know less of it, the rest is zeros. */
export const PROGRAM_INFO_SIZE = 232;

/** The kernel's answer for a program, without lists. Throws SystemError, TypeError when the descriptor is no program's. */
export function programInfoView(fd: Fd): DataView {
  expectKind(fd, "program");
  return objectInfo(fd, new Uint8Array(PROGRAM_INFO_SIZE));
}

/** Asks the kernel about a program (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13). Throws SystemError, TypeError when it is no program. */
export function programDetails({ fd }: { readonly fd: Fd }): ProgramDetails {
  const view = programInfoView(fd);
  const bytes = new Uint8Array(view.buffer);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const target = { btfId: u32(220), typeId: u32(224) };
  return {
    id: u32(4),
    type: uapiName(ProgramType, u32(0), "Program type"),
    name: cText(bytes.subarray(64, 80)),
    tag: Buffer.from(bytes.subarray(8, 16)).toString("hex"),
    translatedBytes: u32(20),
    machineBytes: u32(16),
    loadedAt: view.getBigUint64(40, true),
    uid: u32(48),
    gplCompatible: (u32(84) & 1) === 1,
    verifiedInstructions: u32(216),
    interfaceIndex: u32(80),
    mapIds: mapIdsOf(fd, u32(52)),
    btfId: u32(128),
    attachTarget: target.typeId === 0 ? undefined : target,
    ...readStats(view),
  };
}

/** The kernel writes the ids where it is told to, and as many as it is told there is room for. */
function mapIdsOf(fd: Fd, count: number): readonly number[] {
  if (count === 0) return [];
  const ids = new Uint32Array(count);
  const info = new Uint8Array(PROGRAM_INFO_SIZE);
  new DataView(info.buffer).setUint32(52, count, true);
  const view = objectInfo(fd, info, [[56, new Uint8Array(ids.buffer)]]);
  return [...ids.subarray(0, view.getUint32(52, true))];
}

/** What the kernel counted, from its answer. */
export function readStats(view: DataView): ProgramStats {
  return {
    runTimeNs: view.getBigUint64(192, true),
    runCount: view.getBigUint64(200, true),
    recursionMisses: view.getBigUint64(208, true),
  };
}
