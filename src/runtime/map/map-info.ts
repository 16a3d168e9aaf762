import { MapType, uapiName } from "../../object/spec/index.ts";
import { cText, descriptorInfo, expectKind, type Fd, idsOf, objectInfo } from "../sys/index.ts";
import type { BpfMap, MapInfo } from "./bpf-map.ts";

/** All that the kernel tells of a live map. */
export interface MapDetails extends MapInfo {
  /** Its number, as long as it lives; other tools name it by that. */
  readonly id: number;
  /** What it was made with besides (`map_extra`); 0 before Linux 5.16. */
  readonly extra: bigint;
  /** The id of the BTF that its key and value types are of, and theirs; 0 for none. */
  readonly btfId: number;
  readonly keyType: number;
  readonly valueType: number;
  /** Whether user space cannot change it any more; undefined where the kernel does not say (before 5.2, or no /proc). */
  readonly frozen: boolean | undefined;
  /** Bytes of kernel memory it takes, as far as the kernel says. */
  readonly memory: number | undefined;
}

// struct bpf_map_info (linux/bpf.h).
const SIZE = 88;

function ask(fd: Fd): DataView {
  expectKind(fd, "map");
  return objectInfo(fd, new Uint8Array(SIZE));
}

/** Asks the kernel what a map is (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13). Throws when the descriptor is not a map's. */
export function mapInfo(fd: Fd): MapInfo {
  return plainInfo(ask(fd));
}

/** What a map was made with besides its sizes (`map_extra`, Linux 5.16). Throws SystemError. */
export function mapExtra(fd: Fd): bigint {
  return ask(fd).getBigUint64(80, true);
}

/** Asks the kernel for all it knows of a live map. Throws SystemError. */
export function mapDetails(map: BpfMap): MapDetails {
  const view = ask(map.fd);
  const lines = descriptorInfo(map.fd);
  const frozen = lines.get("frozen");
  const memory = lines.get("memlock");
  return {
    ...plainInfo(view),
    id: view.getUint32(4, true),
    btfId: view.getUint32(64, true),
    keyType: view.getUint32(68, true),
    valueType: view.getUint32(72, true),
    extra: view.getBigUint64(80, true),
    frozen: frozen === undefined ? undefined : frozen === "1",
    memory: memory === undefined ? undefined : Number(memory),
  };
}

/** The ids of all maps that there are, in ascending order. Needs CAP_SYS_ADMIN; throws SystemError EPERM without. */
export function mapIds(): IterableIterator<number> {
  return idsOf("BPF_MAP_GET_NEXT_ID");
}

function plainInfo(view: DataView): MapInfo {
  return {
    type: uapiName(MapType, view.getUint32(0, true), "Map type"),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: cText(new Uint8Array(view.buffer, 24, 16)),
  };
}
