import {
  holdsDescriptors,
  MapClass,
  MapFlag,
  type MapSpec,
  MapType,
  type MapTypeName,
} from "../../object/spec/index.ts";
import {
  BpfAttr,
  type CapabilityName,
  Fd,
  lacking,
  openPin,
  pageSize,
  raiseMemlock,
  SystemError,
  TOKEN_FLAG,
} from "../sys/index.ts";
import type { BpfMap, MapInfo } from "./bpf-map.ts";
import { type Layouts, type LiveMap, openLive } from "./live-map.ts";
import { mapCapabilities } from "./map-capabilities.ts";
import { probeMapType } from "./probe-map-types.ts";
import { storageTypes } from "./storage-types.ts";

const EPERM = 1;
const EINVAL = 22;

/**
 * Creates a map in the kernel. The caller closes it. Throws SystemError: EPERM (names the missing capability), EINVAL
 * (a size, flag or type this kernel does not take), ENOMEM. Needs CAP_BPF, and CAP_NET_ADMIN for sockmaps, devmaps and xskmaps; `needs` names the capabilities of the whole
 * undertaking the map is for, so that a refusal names all that are missing and not only the first. `types` is the loaded
 * BTF that the spec's `keyType` and `valueType` are of: the map's entries can then be told by other tools. `token`: the
 * rights it is made by (`createToken`).
 */
export function createMap<const S extends MapSpec>(
  spec: S,
  name: string = spec.name ?? "map",
  needs: readonly CapabilityName[] = [],
  types?: Fd,
  token?: Fd,
): LiveMap<S> {
  const info = specInfo(spec, name);
  // Local storage made by hand: the kernel wants to know its types all the same.
  const own = types === undefined && isStorage(spec.type) ? storageTypes(info.valueSize, token) : undefined;
  using _ownTypes = own?.fd;
  const typed = own === undefined ? spec : { ...spec, keyType: own.key, valueType: own.value };
  // The kernel takes the kind of maps that it is to hold from one of them, which need not stay.
  using template =
    spec.inner === undefined
      ? undefined
      : (createMap(spec.inner, spec.inner.name ?? `${name}.inner`, needs, types, token) as BpfMap);
  let result = create(info, typed, own?.fd ?? types, template, token);
  if (result === -EPERM && raiseMemlock()) result = create(info, typed, own?.fd ?? types, template, token);
  // Kernels take types for fewer kinds of keys and values than there are; the map works without. Storage needs them.
  if (result < 0 && types !== undefined && !isStorage(spec.type)) {
    const untyped = create(info, typed, undefined, template, token);
    // The first answer is about the map as it was meant.
    if (untyped >= 0) result = untyped;
  }
  if (result < 0) {
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_MAP_CREATE)",
      doing: `create map "${name}" (${spec.type}, keys of ${info.keySize}, values of ${info.valueSize} bytes, ${info.maxEntries} entries)`,
      hint: hintOf(-result, spec, info),
      needs: [...new Set([...mapCapabilities(spec.type), ...needs])],
    });
  }
  return openLive(new Fd(result, `map "${name}"`), spec, info) as LiveMap<S>;
}

/** Why the kernel does not make a map, as far as it can be told; what rights are missing is told by others. */
function hintOf(errno: number, spec: MapSpec, info: MapInfo): string | undefined {
  if (errno === EPERM) return undefined;
  const lacks = lacking(`Maps of type ${spec.type}`, probeMapType(spec.type));
  return lacks ?? (errno === EINVAL ? whatIsInvalid(spec, info) : undefined);
}

/** What is wrong with a map that the kernel calls invalid, as far as it can be told. */
function whatIsInvalid({ type, maxEntries, inner }: MapSpec, { keySize, valueSize }: MapInfo): string {
  if (KEYLESS.has(type) && keySize !== 0) return `Maps of type ${type} have no key: its size must be 0.`;
  if (
    (type === "ringbuf" || type === "user_ringbuf") &&
    (maxEntries % pageSize() !== 0 || Math.log2(maxEntries) % 1 !== 0)
  )
    return `The entries of a ${type} are its bytes: a power of two and a multiple of ${pageSize()}.`;
  if (MapClass[type] === "maps" && inner === undefined)
    return "A map of maps needs `inner`: what the maps in it are like.";
  if (maxEntries === 0 && !isStorage(type)) return "It needs `maxEntries` of at least 1.";
  if (type === "lpm_trie" && keySize < 5)
    return "Keys of an lpm_trie are a u32, the length of the prefix in bits, and up to 256 bytes.";
  if (holdsDescriptors(type) && valueSize !== 4) return `Values of a ${type} are descriptors, of 4 bytes.`;
  return "A size or flag does not suit the type.";
}

/**
 * Opens a map pinned in a bpffs. Give the layouts to have typed keys and values. The caller closes it; the pin stays.
 * Throws SystemError ENOENT when nothing is pinned there.
 */
export function openPinnedMap<const S extends Layouts & { readonly type?: MapTypeName }>(
  path: string,
  layouts: S = {} as S,
): S extends MapSpec ? LiveMap<S> : BpfMap {
  const map = openLive(openPin(path, "map"), layouts);
  map.pins.add(map.fd, path);
  return map as S extends MapSpec ? LiveMap<S> : BpfMap;
}

/** The sizes that follow from the type where the spec gives none; `specInfo` of a spec is what `mapInfo` tells of its map. */
export function specInfo(spec: MapSpec, name: string): MapInfo {
  return {
    type: spec.type,
    name,
    keySize: spec.keySize ?? spec.key?.size ?? (KEYLESS.has(spec.type) ? 0 : 4),
    valueSize: spec.valueSize ?? spec.value?.size ?? (holdsDescriptors(spec.type) ? 4 : 0),
    maxEntries: spec.maxEntries,
    flags: (spec.flags ?? 0) | (isStorage(spec.type) ? MapFlag.no_prealloc : 0),
  };
}

function isStorage(type: MapTypeName): boolean {
  return MapClass[type] === "storage";
}

const KEYLESS: ReadonlySet<MapTypeName> = new Set([
  "ringbuf",
  "user_ringbuf",
  "queue",
  "stack",
  "bloom_filter",
  "arena",
]);

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
  token: Fd | undefined,
): number {
  const attr = new BpfAttr()
    .u32(0, MapType[info.type])
    .u32(4, info.keySize)
    .u32(8, info.valueSize)
    .u32(12, info.maxEntries)
    .u32(16, info.flags | (numaNode === undefined ? 0 : MapFlag.numa_node) | (token === undefined ? 0 : TOKEN_FLAG))
    .name(28, info.name);
  if (template !== undefined) attr.u32(20, template.fd.number);
  if (numaNode !== undefined) attr.u32(24, numaNode);
  if (types !== undefined && valueType !== undefined && !UNTYPED.has(info.type))
    attr
      .u32(48, types.number)
      .u32(52, keyType ?? 0)
      .u32(56, valueType);
  if (extra !== undefined && extra !== 0n) attr.u64(64, extra);
  if (token !== undefined) attr.u32(76, token.number);
  return attr.call("BPF_MAP_CREATE");
}
