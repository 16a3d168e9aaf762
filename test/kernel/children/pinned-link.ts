// Pins a link and a program in the bpffs whose folder is the first argument, opens them again, and asserts all of it.
import assert from "node:assert/strict";
import { existsSync, unlinkSync, writeFileSync } from "node:fs";
import {
  createMap,
  loadObject,
  openFds,
  openPinnedLink,
  openPinnedProgram,
  SystemError,
  trackFds,
  u64,
} from "../../../src/sdk/index.ts";
import { callGetpgid, counterMap, countingProgram } from "../../support/probe-programs.ts";

trackFds();
const folder = process.argv[2] as string;
const at = (name: string) => `${folder}/${name}`;

using object = loadObject({ maps: { counts: counterMap }, programs: { p: countingProgram() } });
const count = () => Number(object.maps.counts.get(0)?.[0]);
const counts = (expected: number) => {
  const before = count();
  callGetpgid(3);
  assert.equal(count() - before, expected);
};

const isCounted = () => {
  const before = count();
  callGetpgid(1);
  return count() !== before;
};

const link = object.programs.p.attachRawTracepoint("sys_enter");
const details = link.details();
link.pin(at("link"));
assert.deepEqual(link.pins.paths, [at("link")]);
assert.throws(() => link.pin(at("link")), /Something is pinned at this path already/);
// Closed, but pinned: it is still attached.
link.close();
counts(3);
{
  using again = openPinnedLink(at("link"));
  assert.deepEqual(again.details(), details);
  again.close();
}
counts(3);
{
  using again = openPinnedLink(at("link"));
  again.unpin();
  assert.ok(!existsSync(at("link")));
  // Unpinned, but held.
  counts(3);
  again.unpin();
}
// The kernel lets go of a link a little after the last of those who hold it.
for (let i = 0; i < 300 && isCounted(); i++) await new Promise((resolve) => setTimeout(resolve, 10));
counts(0);

// A pin that somebody replaced is theirs.
{
  using one = object.programs.p.attachRawTracepoint("sys_enter");
  one.pin(at("link"));
  unlinkSync(at("link"));
  using map = createMap({ type: "array", value: u64, maxEntries: 1 }, "m");
  map.pin(at("link"));
  one.unpin();
  assert.ok(existsSync(at("link")));
  map.close();
  // Closed, it still knows its pin.
  map.unpin();
  assert.ok(!existsSync(at("link")));
}

// Programs likewise.
const { p } = object.programs;
p.pin(at("program"));
{
  using again = openPinnedProgram(at("program"));
  assert.deepEqual([again.name, again.details().id], ["p", p.details().id]);
  assert.throws(() => openPinnedLink(at("program")), /^TypeError: There is no link behind .*: it is a bpf-prog\.$/);
  again.unpin();
  assert.ok(!existsSync(at("program")));
  p.unpin();
}

// What is no bpffs, has a dot in its name, is not there or is something else.
{
  using other = object.programs.p.attachRawTracepoint("sys_enter");
  assert.throws(
    () => other.pin("/tmp/skep-no-bpffs"),
    (error: unknown) => error instanceof SystemError && /\/tmp is in no bpffs: mount one/.test(error.message),
  );
  assert.throws(() => other.pin(at("a.b")), { code: "EPERM", message: /takes no dots in names/ });
  assert.throws(() => other.pin(at("no/folder")), { code: "ENOENT" });
}
assert.throws(() => openPinnedLink(at("nothing")), { code: "ENOENT", message: /Nothing is pinned at this path/ });
writeFileSync("/tmp/skep-pinned-link-file", "");
assert.throws(() => openPinnedLink("/tmp/skep-pinned-link-file"), /\/tmp is in no bpffs/);
unlinkSync("/tmp/skep-pinned-link-file");
{
  using map = createMap({ type: "array", value: u64, maxEntries: 1 }, "m");
  map.pin(at("map"));
  assert.throws(
    () => openPinnedLink(at("map")),
    /^TypeError: There is no link behind link pinned at .*map: it is a bpf-map\.$/,
  );
  map.unpin();
  assert.ok(!existsSync(at("map")));
}
object.close();
assert.deepEqual(
  openFds().map((fd) => fd.stack),
  [],
);
console.log("done");
