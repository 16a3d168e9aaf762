import { MapClass } from "../../object/spec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BpfMap, isArray, type MapInfo } from "./bpf-map.ts";
import { KeyedMap } from "./keyed-map.ts";
import type { Layouts } from "./live-map.ts";

/**
 * Stands for `live-map.ts` in the bundle of a command whose start counts: the kinds of map that it has, without the classes
 * of all others.
 */
export function openLive(fd: Fd, { key, value }: Layouts, info: MapInfo): BpfMap {
  try {
    if (MapClass[info.type] !== "keyed") return new BpfMap(fd, info);
    const u32 = { kind: "u32", size: 4, align: 4 } as const;
    return new KeyedMap<unknown, unknown>(fd, info, key ?? (isArray(info.type) ? u32 : undefined), value);
  } catch (error) {
    fd.close();
    throw error;
  }
}
