import type { Fd } from "../sys/index.ts";
import { BpfMap, isArray, isPerCpu, type MapInfo } from "./bpf-map.ts";
import { KeyedMap } from "./keyed-map.ts";
import type { Layouts } from "./live-map.ts";

/**
 * Stands for `live-map.ts` in the bundle of a command whose start counts: the kinds of map that it has, without the classes
 * of all others.
 */
export function openLive(fd: Fd, { key, value }: Layouts, info: MapInfo): BpfMap {
  try {
    if (isArray(info.type))
      return new KeyedMap<unknown, unknown>(fd, info, key ?? { kind: "u32", size: 4, align: 4 }, value);
    if (info.type.endsWith("hash") && (isPerCpu(info.type) || info.type === "hash" || info.type === "lru_hash"))
      return new KeyedMap<unknown, unknown>(fd, info, key, value);
    return new BpfMap(fd, info);
  } catch (error) {
    fd.close();
    throw error;
  }
}
