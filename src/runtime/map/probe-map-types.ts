import { MapFlag, MapType, type MapTypeName, MapTypeSince } from "../../object/spec/index.ts";
import { askedOnce, BpfAttr, Fd, judge, type ProbeResult, pageSize, raiseMemlock, SystemError } from "../sys/index.ts";
import { mapCapabilities } from "./map-capabilities.ts";
import { type StorageTypes, storageTypes } from "./storage-types.ts";

interface TrialMap {
  readonly key?: number;
  readonly value?: number;
  readonly entries?: number;
  readonly flags?: number;
  /** Local storage wants to know the types of its key and value. */
  readonly btf?: true;
  /** Maps of maps want a map to be like. */
  readonly inner?: true;
  /** An errno that only a kernel gives that knows the type. */
  readonly known?: number;
}

const EPERM = 1;
const ENOTSUPP = 524;
const STORAGE = { key: 4, value: 4, entries: 0, flags: MapFlag.no_prealloc, btf: true } as const;
/** sizeof(struct bpf_cgroup_storage_key). */
const CGROUP_KEY = 16;

/** Each map type and, where 4-byte keys and values do not do, the smallest that does. */
const MAPS: Readonly<Record<MapTypeName, TrialMap>> = {
  hash: {},
  array: {},
  prog_array: {},
  perf_event_array: {},
  percpu_hash: {},
  percpu_array: {},
  stack_trace: { value: 8 },
  cgroup_array: {},
  lru_hash: {},
  lru_percpu_hash: {},
  lpm_trie: { key: 8, value: 8, flags: MapFlag.no_prealloc },
  array_of_maps: { inner: true },
  hash_of_maps: { inner: true },
  devmap: {},
  sockmap: {},
  cpumap: {},
  xskmap: {},
  sockhash: {},
  cgroup_storage: { key: CGROUP_KEY, value: 8, entries: 0 },
  reuseport_sockarray: {},
  percpu_cgroup_storage: { key: CGROUP_KEY, value: 8, entries: 0 },
  queue: { key: 0 },
  stack: { key: 0 },
  sk_storage: { ...STORAGE },
  devmap_hash: {},
  struct_ops: { known: ENOTSUPP },
  ringbuf: { key: 0, value: 0, entries: -1 },
  inode_storage: { ...STORAGE },
  task_storage: { ...STORAGE },
  bloom_filter: { key: 0 },
  user_ringbuf: { key: 0, value: 0, entries: -1 },
  cgrp_storage: { ...STORAGE },
  arena: { key: 0, value: 0, flags: MapFlag.mmapable },
  insn_array: { value: 16 },
};

/** Which map types the kernel creates for this process: `probeMapType` of each. */
export function probeMapTypes(): ProbeResult[] {
  return (Object.keys(MAPS) as MapTypeName[]).map(probeMapType);
}

/**
 * Whether the kernel creates maps of a type for this process: the smallest is made and closed at once. Asked once: the answer is kept
 * while the process runs, unless the kernel refused (EPERM) or told neither way.
 */
export const probeMapType: (type: MapTypeName) => ProbeResult = askedOnce((type) => {
  const map = MAPS[type];
  const types = map.btf === true ? trialTypes() : undefined;
  using _fd = typeof types === "object" ? types.fd : undefined;
  const since = MapTypeSince[type];
  // Without its BTF the kernel would call the map's attributes invalid, as if it did not know the type.
  if (typeof types === "number") return judge(type, types, since, ["CAP_BPF"]);
  let errno = tryMap(type, map, types);
  if (errno === EPERM && raiseMemlock()) errno = tryMap(type, map, types);
  return judge(type, errno === map.known ? 0 : errno, since, mapCapabilities(type));
});

/** Types for local storage with values of 4 bytes, or a positive errno. The caller closes them. */
function trialTypes(): StorageTypes | number {
  try {
    return storageTypes(4);
  } catch (error) {
    if (error instanceof SystemError) return error.errno;
    throw error;
  }
}

/** 0 or a positive errno. */
function tryMap(name: string, map: TrialMap, types: StorageTypes | undefined): number {
  const innerResult = map.inner === true ? create(MapType.hash, MAPS.hash) : 0;
  if (innerResult < 0) return -innerResult;
  using inner = map.inner === true ? open(innerResult) : undefined;
  const result = create(MapType[name as MapTypeName], map, inner, map.btf === true ? types : undefined);
  open(result)?.close();
  return Math.max(0, -result);
}

function create(type: number, map: TrialMap, inner?: Fd, types?: StorageTypes): number {
  const entries = map.entries === -1 ? pageSize() : (map.entries ?? 1);
  const attr = new BpfAttr()
    .u32(0, type)
    .u32(4, map.key ?? 4)
    .u32(8, map.value ?? 4)
    .u32(12, entries)
    .u32(16, map.flags ?? 0);
  if (inner !== undefined) attr.u32(20, inner.number);
  if (types !== undefined) attr.u32(48, types.fd.number).u32(52, types.key).u32(56, types.value);
  // Names the kernel's structure that the map is to hold; 1 is none, which only struct_ops looks at.
  if (map.known !== undefined) attr.u32(60, 1);
  return attr.call("BPF_MAP_CREATE");
}

function open(result: number): Fd | undefined {
  return result < 0 ? undefined : new Fd(result, "trial map");
}
