// Loads an object whose map is pinned by name in the bpffs whose folder is the first argument, and asserts what stays.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, symlinkSync, unlinkSync } from "node:fs";
import {
  Assembler,
  type BpfMap,
  type KeyedMap,
  type LoadedShape,
  loadObject,
  MapMismatchError,
  type MapOfMaps,
  type ObjectSpec,
  openFds,
  openObject,
  r0,
  trackFds,
} from "../../../src/sdk/index.ts";

trackFds();
const [, , folder, file] = process.argv as [string, string, string, string];
const spec: ObjectSpec = openObject(file);
const pin = `${folder}/kept`;
type Kept = KeyedMap<number, bigint>;

// The first load pins it, the next finds it with what it holds.
{
  using object = loadObject(spec, { pinPath: folder });
  (object.maps["kept"] as unknown as Kept).set(1, 7n);
}
assert.ok(existsSync(pin));
{
  using object = loadObject(spec, { pinPath: folder });
  const kept = object.maps["kept"] as unknown as Kept;
  assert.equal(kept.get(1), 7n);
  kept.set(1, 8n);
}
// `false`: a map of one's own, and the pinned one stays as it is.
{
  using object = loadObject(spec, { pinPath: false });
  assert.equal((object.maps["kept"] as unknown as Kept).get(1), 0n);
}

// Another kind of map under the name is refused with every difference, and nothing changes.
const other: ObjectSpec = {
  ...spec,
  maps: {
    ...spec.maps,
    kept: { type: "hash", key: { kind: "u32", size: 4, align: 4 }, valueSize: 4, maxEntries: 9, pinning: "by-name" },
  },
};
assert.throws(
  () => loadObject(other, { pinPath: folder, programs: [] }),
  (error: unknown) => {
    assert.ok(error instanceof MapMismatchError);
    assert.equal(error.code, "SKEP_MAP_MISMATCH");
    assert.deepEqual(error.differences, ["type array, not hash", "values of 8 bytes, not 4", "entries 4, not 9"]);
    assert.match(error.message, /Map "kept" pinned at .*kept is not like the object's/);
    return true;
  },
);
{
  using object = loadObject(spec, { pinPath: folder });
  assert.equal((object.maps["kept"] as unknown as Kept).get(1), 8n);
}

// A load that fails after its map was pinned takes the pin back.
const inner = `${folder}/inner`;
mkdirSync(inner);
const bad = new Assembler().label("bad").mov(r0, 0).instructions();
assert.throws(
  () =>
    loadObject(
      { ...spec, programs: { bad: { type: "socket_filter", instructions: bad, license: "GPL" } } },
      { pinPath: inner },
    ),
  { name: "VerifierError" },
);
assert.ok(!existsSync(`${inner}/kept`));

// What a pinned map of maps holds stays: it is in use. A link to the folder is as good as the folder.
const odd = openObject(file.replace("maps.el", "oddmaps.el"));
const idOf = ({ maps }: LoadedShape) => (maps["held"] as unknown as MapOfMaps<number, BpfMap>).idOf(0);
const link = `${process.env["TMPDIR"] ?? "/tmp"}/skep-pins-${process.pid}`;
symlinkSync(inner, link);
{
  using first = loadObject(odd, { pinPath: link });
  using second = loadObject(odd, { pinPath: inner });
  assert.ok(idOf(first) !== undefined);
  assert.equal(idOf(second), idOf(first));
}
unlinkSync(link);
unlinkSync(`${inner}/held`);

// A pin that vanishes while a load fails does not hide why it failed.
assert.throws(
  () =>
    loadObject(
      { ...spec, programs: { bad: { type: "socket_filter", instructions: bad, license: "GPL" } } },
      { pinPath: inner, observe: () => unlinkSync(`${inner}/kept`) },
    ),
  { name: "VerifierError" },
);

// Where nothing can be pinned it says what to do.
assert.throws(() => loadObject(spec, { pinPath: "/tmp" }), {
  code: "SKEP_OBJECT",
  message: /\/tmp is in no bpffs: mount one .*pinPath: false/,
});
assert.throws(() => loadObject(spec, { pinPath: `${folder}/none` }), { code: "ENOENT" });

assert.deepEqual(openFds(), []);
console.log("done");
