import { AttachType, type AttachTypeName, uapiNameOrNumber } from "../../object/spec/index.ts";
import {
  cText,
  expectKind,
  type Fd,
  type InfoBuffer,
  idsOf,
  kernelSince,
  objectInfo,
  SystemError,
} from "../sys/index.ts";
import type { AttachTypeOrNumber, LinkDetails, PerfEventDetails } from "./link-details.ts";
import { FAMILIES, HOOKS } from "./netfilter-names.ts";

/** Kinds of links (linux/bpf.h, enum bpf_link_type). */
export const LinkType = {
  raw_tracepoint: 1,
  tracing: 2,
  cgroup: 3,
  iter: 4,
  netns: 5,
  xdp: 6,
  perf_event: 7,
  kprobe_multi: 8,
  struct_ops: 9,
  netfilter: 10,
  tcx: 11,
  uprobe_multi: 12,
  netkit: 13,
  sockmap: 14,
  tracing_multi: 15,
} as const;

/** The name of a kind of link, as in `LinkType`. */
export type LinkTypeName = keyof typeof LinkType;

// struct bpf_link_info: type, id, program, and from 16 on a union of what each kind has.
const SIZE = 64;
const OWN = 16;
/** Longer than any path or symbol the kernel gives. */
const TEXT = 4096;
const KPROBE_MULTI_RETURN = 1;
const UPROBE_MULTI_RETURN = 1;
const DEFRAGMENT = 1;

/** One question to the kernel: bytes it fills, and numbers that say how many there are. */
interface Question {
  readonly buffers: readonly InfoBuffer[];
  readonly sizes: readonly (readonly [offset: number, value: number])[];
}

function ask(fd: Fd, question?: Question): DataView {
  const info = new Uint8Array(SIZE);
  const view = new DataView(info.buffer);
  for (const [offset, value] of question?.sizes ?? []) view.setUint32(offset, value, true);
  return objectInfo(fd, info, question?.buffers);
}

/**
 * Asks the kernel about a link (BPF_OBJ_GET_INFO_BY_FD, Linux 5.8). Older kernels tell less: see each field. Throws
 * SystemError, TypeError when the descriptor is not a link's.
 */
export function linkInfo(fd: Fd): LinkDetails {
  expectKind(fd, "link");
  try {
    return detailsOf(fd, ask(fd));
  } catch (error) {
    const since = kernelSince("Details of links", "5.8");
    if (since === undefined || !(error instanceof SystemError)) throw error;
    throw new SystemError({ errno: error.errno, syscall: error.syscall, hint: since, cause: error });
  }
}

function detailsOf(fd: Fd, view: DataView): LinkDetails {
  const u32 = (offset: number) => view.getUint32(OWN + offset, true);
  const u64 = (offset: number) => view.getBigUint64(OWN + offset, true);
  const number = view.getUint32(0, true);
  const base = { id: view.getUint32(4, true), programId: view.getUint32(8, true) };
  const type = uapiNameOrNumber(LinkType, number);
  switch (type) {
    case "raw_tracepoint": {
      const [tracepoint, whole] = askText(fd, OWN, OWN + 8);
      return { ...base, type, tracepoint, cookie: whole.getBigUint64(OWN + 16, true) };
    }
    case "tracing":
      return {
        ...base,
        type,
        attachType: attachTypeOf(u32(0)),
        targetObjectId: u32(4),
        targetTypeId: u32(8),
        cookie: u64(16),
      };
    case "cgroup":
      return { ...base, type, cgroupId: u64(0), attachType: attachTypeOf(u32(8)) };
    case "iter":
      return { ...base, type, ...iteratorOf(fd) };
    case "netns":
      return { ...base, type, inode: u32(0), attachType: attachTypeOf(u32(4)) };
    case "xdp":
      return { ...base, type, interfaceIndex: u32(0) };
    case "struct_ops":
      return { ...base, type, mapId: u32(0) };
    case "netfilter":
      return {
        ...base,
        type,
        family: uapiNameOrNumber(FAMILIES, u32(0)),
        hook: uapiNameOrNumber(HOOKS, u32(4)),
        priority: view.getInt32(OWN + 8, true),
        defragment: (u32(12) & DEFRAGMENT) !== 0,
      };
    case "kprobe_multi": {
      const count = u32(8);
      const [addresses = [], cookies = []] = askLists(fd, count, OWN + 8, [OWN, OWN + 24]);
      const isReturn = (u32(12) & KPROBE_MULTI_RETURN) !== 0;
      return { ...base, type, count, isReturn, addresses, cookies, missed: u64(16) };
    }
    case "uprobe_multi": {
      const path = new Uint8Array(u32(32));
      const count = u32(36);
      const lists = askLists(fd, count, OWN + 36, [OWN + 8, OWN + 16, OWN + 24], {
        buffers: [[OWN, path]],
        sizes: [[OWN + 32, path.length]],
      });
      const [offsets = [], counterOffsets = [], cookies = []] = lists;
      const pid = u32(44) === 0 ? undefined : u32(44);
      const isReturn = (u32(40) & UPROBE_MULTI_RETURN) !== 0;
      return { ...base, type, path: cText(path), count, isReturn, offsets, cookies, counterOffsets, pid };
    }
    case "perf_event":
      return { ...base, type, event: perfEventOf(fd, view) };
    case "tcx":
    case "netkit":
      return { ...base, type, interfaceIndex: u32(0), attachType: attachTypeOf(u32(4)) };
    case "tracing_multi":
      return { ...base, type, attachType: attachTypeOf(u32(0)), count: u32(4), targetObjectId: u32(8) };
    case "sockmap":
      return { ...base, type, mapId: u32(0), attachType: attachTypeOf(u32(4)) };
    default:
      return { ...base, type: "unknown", number };
  }
}

/** Asks for a text; its length is known only when room for it was given. */
function askText(fd: Fd, pointer: number, length: number): readonly [string, DataView] {
  const text = new Uint8Array(TEXT);
  const view = ask(fd, { buffers: [[pointer, text]], sizes: [[length, TEXT]] });
  return [cText(text), view];
}

/** Asks for lists of 64-bit numbers, all of one length, and with `more` for what else the kind has. */
function askLists(
  fd: Fd,
  count: number,
  countOffset: number,
  pointers: readonly number[],
  more: Question = { buffers: [], sizes: [] },
): readonly (readonly bigint[])[] {
  const lists = pointers.map(() => new BigUint64Array(count));
  const buffers = lists.map((list, i): InfoBuffer => [pointers[i] as number, new Uint8Array(list.buffer)]);
  if (count > 0) ask(fd, { buffers: [...buffers, ...more.buffers], sizes: [[countOffset, count], ...more.sizes] });
  return lists.map((list) => [...list]);
}

function iteratorOf(fd: Fd) {
  const [targetName, view] = askText(fd, OWN, OWN + 8);
  const u32 = (offset: number) => view.getUint32(OWN + offset, true);
  const mapId = u32(12);
  return {
    targetName,
    ...(targetName.startsWith("bpf_map_elem") || targetName.startsWith("bpf_sk_storage_map") ? { mapId } : {}),
    ...(targetName === "cgroup" && { cgroup: { id: view.getBigUint64(OWN + 16, true), order: u32(24) } }),
    ...(targetName.startsWith("task") && (u32(16) !== 0 || u32(20) !== 0) && { task: { tid: u32(16), pid: u32(20) } }),
  };
}

/** linux/bpf.h, enum bpf_perf_event_type. */
const PERF = { uprobe: 1, uretprobe: 2, kprobe: 3, kretprobe: 4, tracepoint: 5, event: 6 } as const;

function perfEventOf(fd: Fd, first: DataView): PerfEventDetails | undefined {
  const kind = uapiNameOrNumber(PERF, first.getUint32(OWN, true));
  if (typeof kind === "number") return undefined;
  // What each kind has begins behind the kind and its padding. Kernels before 6.9 do not tell how long the text is.
  const at = OWN + 8;
  if (kind === "event") {
    const config = first.getBigUint64(at, true);
    return { kind, eventType: first.getUint32(at + 8, true), config, cookie: first.getBigUint64(at + 16, true) };
  }
  const [text, view] = askText(fd, at, at + 8);
  const u64 = (offset: number) => view.getBigUint64(at + offset, true);
  const offset = view.getUint32(at + 12, true);
  if (kind === "tracepoint") return { kind, tracepoint: text, cookie: u64(16) };
  if (kind === "uprobe" || kind === "uretprobe")
    return { kind, path: text, offset, cookie: u64(16), counterOffset: u64(24) };
  return { kind, function: text, offset, address: u64(16), missed: u64(24), cookie: u64(32) };
}

/** An attach type by name; its number where it is newer than this version of Skep. */
function attachTypeOf(number: number): AttachTypeOrNumber {
  return uapiNameOrNumber<AttachTypeName>(AttachType, number);
}

/** The ids of all links, in ascending order (Linux 5.8). Needs CAP_SYS_ADMIN; throws SystemError EPERM without. */
export function linkIds(): IterableIterator<number> {
  return idsOf("BPF_LINK_GET_NEXT_ID");
}
