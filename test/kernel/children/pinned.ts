// Pins maps in the bpffs whose folder is the first argument, opens them again, and asserts all of it.
import assert from "node:assert/strict";
import { existsSync, unlinkSync } from "node:fs";
import { BpfAttr } from "../../../src/runtime/sys/index.ts";
import {
  Assembler,
  BpfMap,
  createMap,
  KeyedMap,
  loadObject,
  MapFlag,
  MappedArray,
  openFds,
  openPinnedMap,
  r0,
  SystemError,
  struct,
  trackFds,
  u32,
  u64,
} from "../../../src/sdk/index.ts";

trackFds();
const folder = process.argv[2] as string;
const at = (name: string) => `${folder}/${name}`;

// A pinned map lives on when the one who made it is gone, with what it held.
const value = struct({ n: u64, tag: u32 });
const spec = { type: "hash", key: u32, value, maxEntries: 10 } as const;
{
  using map = createMap(spec, "counts");
  map.set(1, { n: 11n, tag: 1 });
  map.pin(at("counts"));
  // Once is enough: the path is taken, and the map stays as it is.
  assert.throws(() => map.pin(at("counts")), /^SystemError: Cannot pin map "counts" at .*EEXIST/);
  assert.throws(() => map.pin("/tmp/not-a-bpffs"), /SystemError: Cannot pin map "counts" at \/tmp\/not-a-bpffs/);
}
{
  using map = openPinnedMap(at("counts"), { type: "hash", key: u32, value, maxEntries: 10 });
  assert.ok(map instanceof KeyedMap);
  assert.deepEqual(map.get(1), { n: 11n, tag: 1 });
  assert.deepEqual(
    { ...map.info },
    { type: "hash", name: "counts", keySize: 4, valueSize: 16, maxEntries: 10, flags: 0 },
  );
  map.set(2, { n: 22n, tag: 2 });
}
{
  // Without layouts: bytes. A layout that contradicts the map is refused, and nothing stays open.
  using map = openPinnedMap(at("counts"));
  assert.equal(map.getRaw(Uint8Array.of(2, 0, 0, 0))?.[0], 22);
  assert.throws(() => openPinnedMap(at("counts"), { key: u64, value }), RangeError);
}
{
  // Two who have the same map open see each other's values.
  using one = openPinnedMap(at("counts"), { type: "hash", key: u32, value, maxEntries: 10 });
  using two = openPinnedMap(at("counts"), { type: "hash", key: u32, value, maxEntries: 10 });
  one.set(3, { n: 33n, tag: 3 });
  assert.equal(two.get(3)?.n, 33n);
}

// Arrays, mapped arrays and rings.
{
  using array = createMap({ type: "array", value: u64, maxEntries: 4, flags: MapFlag.mmapable }, "array");
  array.pin(at("array"));
  using again = openPinnedMap(at("array"), { type: "array", value: u64, maxEntries: 4 });
  using mapped = new MappedArray(again, u64);
  mapped.set(2, 5n);
  assert.equal(array.get(2), 5n);
  using ring = createMap({ type: "ringbuf", maxEntries: 4096 }, "ring");
  ring.pin(at("ring"));
  using opened = openPinnedMap(at("ring"));
  assert.ok(opened instanceof BpfMap && !(opened instanceof KeyedMap));
  assert.equal(opened.info.maxEntries, 4096);
}

// A program uses an opened map as if it were its own, and leaves it open.
{
  using counts = openPinnedMap(at("counts"), { type: "hash", key: u32, value, maxEntries: 10 });
  const instructions = new Assembler().mov(r0, 0).exit().instructions();
  using object = loadObject(
    { maps: { counts: spec }, programs: { p: { type: "socket_filter", license: "GPL", instructions } } },
    { maps: { counts } },
  );
  object.close();
  assert.equal(counts.get(1)?.n, 11n);
  // What is pinned may be something else than a map.
  using other = loadObject({ maps: {}, programs: { p: { type: "socket_filter", license: "GPL", instructions } } });
  new BpfAttr().cString(0, at("program")).u32(8, other.programs.p.fd.number).call("BPF_OBJ_PIN");
  assert.ok(existsSync(at("program")));
  assert.throws(
    () => openPinnedMap(at("program")),
    /^TypeError: There is no map behind map pinned at .*program: it is a bpf-prog\.$/,
  );
}

// What is not there, or is unpinned.
assert.throws(
  () => openPinnedMap(at("nothing")),
  (error: unknown) => error instanceof SystemError && error.code === "ENOENT" && error.message.includes(at("nothing")),
);
for (const name of ["counts", "array", "ring", "program"]) unlinkSync(at(name));
assert.throws(() => openPinnedMap(at("counts")), /ENOENT/);

assert.deepEqual(
  openFds().map((fd) => fd.stack),
  [],
);
console.log("done");
