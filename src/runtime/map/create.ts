import { readlinkSync } from "node:fs";
import type { Infer, Layout } from "../../object/codec/index.ts";
import { MapFlag, type MapSpec, MapType, type MapTypeName } from "../../object/spec/index.ts";
import { BpfAttr, type CapabilityName, Fd, raiseMemlock, SystemError } from "../sys/index.ts";
import { BpfMap, type MapInfo, mapTypeName } from "./bpf-map.ts";
import { KeyedMap, type ValueOf } from "./keyed-map.ts";

const EPERM = 1;
const KEYED: ReadonlySet<MapTypeName> = new Set([
  "hash",
  "array",
  "percpu_hash",
  "percpu_array",
  "lru_hash",
  "lru_percpu_hash",
]);

type LayoutOf<S, K extends "key" | "value"> = S extends { readonly [P in K]: infer L extends Layout }
  ? Infer<L>
  : Uint8Array;
type KeyedTypeName = "hash" | "array" | "percpu_hash" | "percpu_array" | "lru_hash" | "lru_percpu_hash";

/** The class and types a spec becomes when it is created. */
export type LiveMap<S extends MapSpec> = S["type"] extends KeyedTypeName
  ? KeyedMap<
      S extends { readonly key: Layout }
        ? LayoutOf<S, "key">
        : S["type"] extends "array" | "percpu_array"
          ? number
          : Uint8Array,
      S extends { readonly value: infer L extends Layout } ? ValueOf<S["type"], L> : Uint8Array
    >
  : BpfMap;

/**
 * Creates a map in the kernel. The caller closes it. Throws SystemError: EPERM (names the missing capability), EINVAL
 * (a size, flag or type this kernel does not take), ENOMEM. Needs CAP_BPF; `needs` names the capabilities of the whole
 * undertaking the map is for, so that a refusal names all that are missing and not only the first. `types` is the loaded
 * BTF that the spec's `keyType` and `valueType` are of: the map's entries can then be told by other tools.
 */
export function createMap<const S extends MapSpec>(
  spec: S,
  name: string = spec.name ?? "map",
  needs: readonly CapabilityName[] = ["CAP_BPF"],
  types?: Fd,
): LiveMap<S> {
  const info = infoOf(spec, name);
  // The kernel takes the kind of maps that it is to hold from one of them, which need not stay.
  using template =
    spec.inner === undefined
      ? undefined
      : (createMap(spec.inner, spec.inner.name ?? `${name}.inner`, needs, types) as BpfMap);
  let result = create(info, spec, types, template);
  if (result === -EPERM && raiseMemlock()) result = create(info, spec, types, template);
  if (result < 0) {
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_MAP_CREATE)",
      doing: `create map "${name}" (${spec.type}, keys of ${info.keySize}, values of ${info.valueSize} bytes, ${info.maxEntries} entries)`,
      hint:
        result === -22
          ? "A size or flag does not suit the type, or this kernel is older than the map type."
          : undefined,
      needs,
    });
  }
  return openMap(new Fd(result, `map "${name}"`), info, spec.key, spec.value) as LiveMap<S>;
}

/**
 * Opens a map pinned in a bpffs. Give the layouts to have typed keys and values. The caller closes it; the pin stays.
 * Throws SystemError ENOENT when nothing is pinned there.
 */
export function openPinnedMap<
  const S extends { readonly key?: Layout; readonly value?: Layout; readonly type?: MapTypeName },
>(path: string, layouts: S = {} as S): S extends MapSpec ? LiveMap<S> : BpfMap {
  const result = new BpfAttr().cString(0, path).u32(8, 0).call("BPF_OBJ_GET");
  if (result < 0) {
    throw new SystemError({ errno: -result, syscall: "bpf(BPF_OBJ_GET)", doing: `open ${path}`, needs: ["CAP_BPF"] });
  }
  const fd = new Fd(result, `map pinned at ${path}`);
  let info: MapInfo;
  try {
    info = mapInfo(fd);
  } catch (error) {
    fd.close();
    throw error;
  }
  return openMap(fd, info, layouts.key, layouts.value) as S extends MapSpec ? LiveMap<S> : BpfMap;
}

/** Asks the kernel what a map is (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13). Throws when the descriptor is not a map's. */
export function mapInfo(fd: Fd): MapInfo {
  // The kernel answers the same question about programs and links, with other structures: look at the kind first.
  const kind = kindOf(fd);
  if (kind !== undefined && kind !== "bpf-map")
    throw new TypeError(`There is no map behind ${fd.what}: it is a ${kind}.`);
  // struct bpf_map_info, as far as its name: type, id, key_size, value_size, max_entries, map_flags, name[16].
  const info = new Uint8Array(40);
  const result = new BpfAttr().u32(0, fd.number).u32(4, info.length).pointer(8, info).call("BPF_OBJ_GET_INFO_BY_FD");
  if (result < 0)
    throw new SystemError({ errno: -result, syscall: "bpf(BPF_OBJ_GET_INFO_BY_FD)", doing: `look at ${fd.what}` });
  const view = new DataView(info.buffer);
  const name = Buffer.from(info.subarray(24, 40)).toString("latin1");
  return {
    type: mapTypeName(view.getUint32(0, true)),
    keySize: view.getUint32(8, true),
    valueSize: view.getUint32(12, true),
    maxEntries: view.getUint32(16, true),
    flags: view.getUint32(20, true),
    name: name.slice(0, name.indexOf("\0")),
  };
}

/** What an anonymous descriptor is of (`bpf-map`, `bpf-prog`); undefined without /proc. */
function kindOf(fd: Fd): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd.number}`).replace("anon_inode:", "");
  } catch {
    return undefined;
  }
}

/** Makes the live map, which owns the descriptor; when it cannot be made the descriptor is closed. */
function openMap(fd: Fd, info: MapInfo, key: Layout | undefined, value: Layout | undefined): BpfMap {
  try {
    if (!KEYED.has(info.type)) return new BpfMap(fd, info);
    return new KeyedMap<unknown, unknown>(fd, info, key ?? defaultKey(info.type), value);
  } catch (error) {
    fd.close();
    throw error;
  }
}

/** Arrays are indexed by a u32, whatever the caller says about keys. */
function defaultKey(type: MapTypeName): Layout | undefined {
  return type === "array" || type === "percpu_array" ? { kind: "u32", size: 4, align: 4 } : undefined;
}

function infoOf(spec: MapSpec, name: string): MapInfo {
  const isArray = spec.type === "array" || spec.type === "percpu_array";
  return {
    type: spec.type,
    name,
    keySize: spec.keySize ?? spec.key?.size ?? (isArray ? 4 : 0),
    valueSize: spec.valueSize ?? spec.value?.size ?? 0,
    maxEntries: spec.maxEntries,
    flags: spec.flags ?? 0,
  };
}

/** Types of maps whose entries are the kernel's own: it refuses BTF for them. */
const UNTYPED: ReadonlySet<MapTypeName> = new Set([
  "perf_event_array",
  "cgroup_array",
  "stack_trace",
  "array_of_maps",
  "hash_of_maps",
  "devmap",
  "devmap_hash",
  "cpumap",
  "xskmap",
  "sockmap",
  "sockhash",
  "queue",
  "stack",
  "arena",
]);

function create(
  info: MapInfo,
  { keyType, valueType, numaNode, extra }: MapSpec,
  types: Fd | undefined,
  template: BpfMap | undefined,
): number {
  const attr = new BpfAttr()
    .u32(0, MapType[info.type])
    .u32(4, info.keySize)
    .u32(8, info.valueSize)
    .u32(12, info.maxEntries)
    .u32(16, numaNode === undefined ? info.flags : info.flags | MapFlag.numa_node)
    .name(28, info.name);
  if (template !== undefined) attr.u32(20, template.fd.number);
  if (numaNode !== undefined) attr.u32(24, numaNode);
  if (types !== undefined && valueType !== undefined && !UNTYPED.has(info.type))
    attr
      .u32(48, types.number)
      .u32(52, keyType ?? 0)
      .u32(56, valueType);
  if (extra !== undefined && extra !== 0n) attr.u64(64, extra);
  return attr.call("BPF_MAP_CREATE");
}
