/** Live maps: created, opened, read, written, mapped. They own file descriptors; whoever made one closes it. */
export { ArenaMap } from "./arena-map.ts";
export {
  BpfMap,
  type LookupOptions,
  type MapInfo,
  type UpdateMode,
  type UpdateOptions,
} from "./bpf-map.ts";
export { createMap, openPinnedMap, specInfo } from "./create.ts";
export { descriptorOf, type Holder } from "./holder.ts";
export { type EntriesOptions, KeyedMap, type ValueOf } from "./keyed-map.ts";
export { type Layouts, type LiveMap, openMap } from "./live-map.ts";
export { mapCapabilities } from "./map-capabilities.ts";
export { MapChangedError, MapMismatchError } from "./map-error.ts";
export { type MapDetails, mapDetails, mapIds, mapInfo } from "./map-info.ts";
export { MappedArray } from "./mapped-array.ts";
export { cpuNumbers, onlineCpus, PossibleCpusError, possibleCpus } from "./possible-cpus.ts";
export { probeMapType, probeMapTypes } from "./probe-map-types.ts";
export { BloomFilter, QueueMap } from "./queue-map.ts";
export { MapOfMaps, ReferenceMap } from "./reference-map.ts";
export { StorageMap } from "./storage-map.ts";
export { type StorageTypes, storageTypes } from "./storage-types.ts";
export { StructOpsMap } from "./struct-ops-map.ts";
