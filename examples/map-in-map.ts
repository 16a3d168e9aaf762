// A map in a map: counts are kept for one span of time after the other. A fresh map is put in the place of the full one, which
// is then read at leisure: no program writes to it any more. Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/map-in-map.js
import { readdirSync } from "node:fs";
import { createMap, loadObject, u64 } from "skep";
import type { MapInMap } from "./map-in-map.bpf.d.ts";

const path = new URL("map-in-map.bpf.o", import.meta.url);
using object = loadObject<MapInMap>(path, { variables: { pid: process.pid } });
const { current } = object.maps;
const fresh = () => createMap({ type: "hash", key: u64, value: u64, maxEntries: 1024 }, "window");

using first = fresh();
using second = fresh();
current.set(0, first);
object.attach(); // by its section: SEC("raw_tp/sys_enter")
readdirSync("/");
current.set(0, second); // returns when no program uses the first any more
for (let i = 0; i < 10; i++) readdirSync("/");
current.delete(0);

for (const [name, window] of Object.entries({ first, second })) {
  const times = [...window.values()].reduce((sum, count) => sum + count, 0n);
  console.log(`${name}: ${times} calls of ${[...window.keys()].length} kinds`);
}
