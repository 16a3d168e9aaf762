/** Live maps: created, opened, read, written, mapped. They own file descriptors; whoever made one closes it. */
export { BpfMap, isPerCpu, type MapInfo, type UpdateMode } from "./bpf-map.ts";
export { createMap, type LiveMap, mapInfo, openPinnedMap } from "./create.ts";
export { KeyedMap, type ValueOf } from "./keyed-map.ts";
export { MappedArray } from "./mapped-array.ts";
export { PossibleCpusError, possibleCpus } from "./possible-cpus.ts";
