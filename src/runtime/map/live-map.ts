import { array, type Infer, type Layout, u32, u64 } from "../../object/codec/index.ts";
import {
  isNumbered,
  MapClass,
  type MapSpec,
  type MapsOfClass,
  type MapTypeName,
  type NumberedMap,
  type PerCpuMap,
} from "../../object/spec/index.ts";
import { type Fd, openId } from "../sys/index.ts";
import { ArenaMap } from "./arena-map.ts";
import { BpfMap, isArray, type MapInfo } from "./bpf-map.ts";
import { KeyedMap, type ValueOf } from "./keyed-map.ts";
import { mapExtra, mapInfo } from "./map-info.ts";
import { BloomFilter, QueueMap } from "./queue-map.ts";
import { MapOfMaps, ReferenceMap } from "./reference-map.ts";
import { StorageMap } from "./storage-map.ts";

type KeyOf<S> = S extends { readonly key: infer L extends Layout }
  ? Infer<L>
  : S extends { readonly type: infer T }
    ? T extends NumberedMap
      ? number
      : Uint8Array
    : Uint8Array;

type DefaultValue<T> = T extends "stack_trace" ? bigint[] : T extends PerCpuMap ? Uint8Array[] : Uint8Array;

type PlainValue<S> = S extends { readonly value: infer L extends Layout } ? Infer<L> : Uint8Array;

/** The class and types a spec becomes when it is created. */
export type LiveMap<S extends MapSpec> =
  S["type"] extends MapsOfClass<"keyed">
    ? KeyedMap<
        KeyOf<S>,
        S extends { readonly value: infer L extends Layout } ? ValueOf<S["type"], L> : DefaultValue<S["type"]>
      >
    : S["type"] extends MapsOfClass<"queue">
      ? QueueMap<PlainValue<S>>
      : S["type"] extends MapsOfClass<"bloom">
        ? BloomFilter<PlainValue<S>>
        : S["type"] extends MapsOfClass<"storage">
          ? StorageMap<PlainValue<S>>
          : S["type"] extends MapsOfClass<"reference">
            ? ReferenceMap<KeyOf<S>>
            : S["type"] extends MapsOfClass<"maps">
              ? MapOfMaps<KeyOf<S>, S extends { readonly inner: infer I extends MapSpec } ? LiveMap<I> : BpfMap>
              : S["type"] extends MapsOfClass<"arena">
                ? ArenaMap
                : BpfMap;

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
  switch (MapClass[type]) {
    case "keyed":
      // Arrays are indexed by a u32, whatever the caller says about keys.
      if (isArray(type)) return new KeyedMap<unknown, unknown>(fd, info, key ?? u32, value);
      return new KeyedMap<unknown, unknown>(fd, info, key ?? builtInKey(info), value ?? builtInValue(info));
    case "reference":
      return new ReferenceMap<unknown>(fd, info, key);
    case "storage":
      return new StorageMap<unknown>(fd, info, value);
    case "queue":
      return new QueueMap<unknown>(fd, info, value);
    case "bloom":
      return new BloomFilter<unknown>(fd, info, value);
    case "maps":
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
  return keySize === 4 && isNumbered(type) ? u32 : undefined;
}

/** Stacks are addresses, from the innermost on, and zeros behind. */
function builtInValue({ type, valueSize, flags }: MapInfo): Layout | undefined {
  const BUILD_ID = 1 << 5;
  if (type === "stack_trace" && valueSize % 8 === 0 && (flags & BUILD_ID) === 0) return array(u64, valueSize / 8);
  return undefined;
}
