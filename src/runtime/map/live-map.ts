import { array, type Infer, type Layout, u32, u64 } from "../../object/codec/index.ts";
import type { MapSpec, MapTypeName } from "../../object/spec/index.ts";
import { type Fd, openId } from "../sys/index.ts";
import { ArenaMap } from "./arena-map.ts";
import { BpfMap, isArray, type MapInfo } from "./bpf-map.ts";
import { KeyedMap, type ValueOf } from "./keyed-map.ts";
import { mapExtra, mapInfo } from "./map-info.ts";
import { BloomFilter, QueueMap } from "./queue-map.ts";
import { MapOfMaps, ReferenceMap } from "./reference-map.ts";
import { StorageMap } from "./storage-map.ts";

type ArrayTypeName = "array" | "percpu_array";
type NumberedTypeName = ArrayTypeName | "stack_trace" | "devmap" | "devmap_hash" | "cpumap";
type KeyedTypeName =
  | NumberedTypeName
  | "hash"
  | "percpu_hash"
  | "lru_hash"
  | "lru_percpu_hash"
  | "lpm_trie"
  | "cgroup_storage"
  | "percpu_cgroup_storage";
type ReferenceTypeName =
  | "prog_array"
  | "perf_event_array"
  | "cgroup_array"
  | "xskmap"
  | "sockmap"
  | "sockhash"
  | "reuseport_sockarray";
type StorageTypeName = "sk_storage" | "inode_storage" | "task_storage" | "cgrp_storage";

type KeyOf<S> = S extends { readonly key: infer L extends Layout }
  ? Infer<L>
  : S extends { readonly type: infer T }
    ? T extends NumberedTypeName | Exclude<ReferenceTypeName, "sockhash"> | "array_of_maps"
      ? number
      : Uint8Array
    : Uint8Array;

type DefaultValue<T> = T extends "stack_trace"
  ? bigint[]
  : T extends "percpu_hash" | "percpu_array" | "lru_percpu_hash" | "percpu_cgroup_storage"
    ? Uint8Array[]
    : Uint8Array;

type PlainValue<S> = S extends { readonly value: infer L extends Layout } ? Infer<L> : Uint8Array;

/** The class and types a spec becomes when it is created. */
export type LiveMap<S extends MapSpec> = S["type"] extends KeyedTypeName
  ? KeyedMap<
      KeyOf<S>,
      S extends { readonly value: infer L extends Layout } ? ValueOf<S["type"], L> : DefaultValue<S["type"]>
    >
  : S["type"] extends "queue" | "stack"
    ? QueueMap<PlainValue<S>>
    : S["type"] extends "bloom_filter"
      ? BloomFilter<PlainValue<S>>
      : S["type"] extends StorageTypeName
        ? StorageMap<PlainValue<S>>
        : S["type"] extends ReferenceTypeName
          ? ReferenceMap<KeyOf<S>>
          : S["type"] extends "array_of_maps" | "hash_of_maps"
            ? MapOfMaps<KeyOf<S>, S extends { readonly inner: infer I extends MapSpec } ? LiveMap<I> : BpfMap>
            : S["type"] extends "arena"
              ? ArenaMap
              : BpfMap;

const KEYED: ReadonlySet<MapTypeName> = new Set<KeyedTypeName>([
  "hash",
  "array",
  "percpu_hash",
  "percpu_array",
  "lru_hash",
  "lru_percpu_hash",
  "lpm_trie",
  "stack_trace",
  "cgroup_storage",
  "percpu_cgroup_storage",
  "devmap",
  "devmap_hash",
  "cpumap",
]);
const REFERENCES: ReadonlySet<MapTypeName> = new Set<ReferenceTypeName>([
  "prog_array",
  "perf_event_array",
  "cgroup_array",
  "xskmap",
  "sockmap",
  "sockhash",
  "reuseport_sockarray",
]);
const STORAGES: ReadonlySet<MapTypeName> = new Set<StorageTypeName>([
  "sk_storage",
  "inode_storage",
  "task_storage",
  "cgrp_storage",
]);

/** What a live map is made from besides its descriptor. */
export type Layouts = Pick<MapSpec, "inner" | "extra"> & { readonly key?: Layout; readonly value?: Layout };

/**
 * Makes the live map, which owns the descriptor; when it cannot be made the descriptor is closed. Without `info` the kernel
 * is asked what it is.
 */
export function openLive(fd: Fd, layouts: Layouts, info?: MapInfo): BpfMap {
  try {
    return make(fd, info ?? mapInfo(fd), layouts);
  } catch (error) {
    fd.close();
    throw error;
  }
}

function make(fd: Fd, info: MapInfo, { key, value, inner, extra }: Layouts): BpfMap {
  const { type } = info;
  // Arrays are indexed by a u32, whatever the caller says about keys.
  if (isArray(type)) return new KeyedMap<unknown, unknown>(fd, info, key ?? u32, value);
  if (KEYED.has(type))
    return new KeyedMap<unknown, unknown>(fd, info, key ?? builtInKey(info), value ?? builtInValue(info));
  if (REFERENCES.has(type)) return new ReferenceMap<unknown>(fd, info, key);
  if (STORAGES.has(type)) return new StorageMap<unknown>(fd, info, value);
  switch (type) {
    case "queue":
    case "stack":
      return new QueueMap<unknown>(fd, info, value);
    case "bloom_filter":
      return new BloomFilter<unknown>(fd, info, value);
    case "array_of_maps":
    case "hash_of_maps":
      return new MapOfMaps<unknown, BpfMap>(fd, info, key, (id) => openMap(id, inner ?? {}));
    case "arena":
      return new ArenaMap(fd, info, Number(extra ?? mapExtra(fd)));
    default:
      return new BpfMap(fd, info);
  }
}

/**
 * Opens a map by its id (`mapIds()`, `MapDetails.id`). Give the layouts to have typed keys and values. The caller closes
 * it. Throws SystemError ENOENT when there is none of this id. Needs CAP_SYS_ADMIN.
 */
export function openMap<const S extends Layouts & { readonly type?: MapTypeName }>(
  id: number,
  layouts: S = {} as S,
): S extends MapSpec ? LiveMap<S> : BpfMap {
  return openLive(openId("BPF_MAP_GET_FD_BY_ID", id, "map"), layouts) as S extends MapSpec ? LiveMap<S> : BpfMap;
}

/** Keys that the kernel gives a meaning to. */
function builtInKey({ type, keySize }: MapInfo): Layout | undefined {
  if (keySize === 4 && (type === "stack_trace" || type === "devmap" || type === "devmap_hash" || type === "cpumap"))
    return u32;
  return undefined;
}

/** Stacks are addresses, from the innermost on, and zeros behind. */
function builtInValue({ type, valueSize, flags }: MapInfo): Layout | undefined {
  const BUILD_ID = 1 << 5;
  if (type === "stack_trace" && valueSize % 8 === 0 && (flags & BUILD_ID) === 0) return array(u64, valueSize / 8);
  return undefined;
}
