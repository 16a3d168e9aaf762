// The maps of `bench -- map`, and the values every column puts in them.
import { createMap, MapFlag, struct, u32, u64, u64n } from "skep";

/** Keys that look-ups and updates go through. */
export const KEYS = 1024;
/** Entries of the maps read in batches. */
export const BATCH = 8192;
/** Elements of the mapped arrays: one that stays in the cache, one that does not. */
export const SMALL = 1024;
export const LARGE = 1 << 20;

export const Key = struct({ pid: u32, cpu: u32, address: u64n });
const fields = (count) => ({ count, total: count, last: u32, flags: u32 });
export const Value = struct(fields(u64n));
export const ValueBig = struct(fields(u64));

export const specs = {
  array: { type: "array", key: u32, value: u64n, maxEntries: KEYS },
  hash: { type: "hash", key: u32, value: u64n, maxEntries: KEYS },
  struct: { type: "hash", key: Key, value: Value, maxEntries: KEYS },
  percpu: { type: "percpu_array", key: u32, value: u64n, maxEntries: KEYS },
  lru: { type: "lru_hash", key: u32, value: u64n, maxEntries: 4 * KEYS },
  batchArray: { type: "array", key: u32, value: u64n, maxEntries: BATCH },
  batchHash: { type: "hash", key: u32, value: u64n, maxEntries: BATCH },
  batchStruct: { type: "hash", key: Key, value: Value, maxEntries: BATCH },
  small: { type: "array", key: u32, value: u64n, maxEntries: SMALL, flags: MapFlag.mmapable },
  large: { type: "array", key: u32, value: u64n, maxEntries: LARGE, flags: MapFlag.mmapable },
};

export const keyAt = (n) => ({ pid: n, cpu: n & 7, address: 0x7f0000000000 + n });

/** Creates and fills all maps; the caller closes them. */
export function makeMaps() {
  const maps = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, createMap(spec, name)]));
  const integers = (count) => Array.from({ length: count }, (_, i) => [i, i]);
  const structs = (count) =>
    Array.from({ length: count }, (_, i) => [keyAt(i), { count: i, total: 2 * i, last: i, flags: 1 }]);
  for (const name of ["array", "hash", "lru"]) maps[name].setMany(integers(KEYS));
  for (const name of ["batchArray", "batchHash"]) maps[name].setMany(integers(BATCH));
  maps.struct.setMany(structs(KEYS));
  maps.batchStruct.setMany(structs(BATCH));
  return maps;
}
