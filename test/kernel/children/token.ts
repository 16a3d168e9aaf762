// Runs in a user namespace of its own: opens a bpffs for it, has its parent delegate rights to it, and loads with a token.
import assert from "node:assert/strict";
import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { native } from "../../../src/runtime/sys/index.ts";
import { createToken, KeyedMap, loadObject, openFds, SystemError, trackFds } from "../../../src/sdk/index.ts";
import { fixture } from "../../support/objects.ts";

// The same on all architectures.
const FSOPEN = 430;
const FSMOUNT = 432;

trackFds();
const text = (value: string) => native().addressOf(new Uint8Array(Buffer.from(`${value}\0`)));
function call(what: string, nr: number, ...args: number[]): number {
  const result = native().syscall(nr, ...(args as [number]));
  assert.ok(result >= 0, `${what}: errno ${-result}`);
  return result;
}

const fs = call("fsopen", FSOPEN, text("bpf"), 0);
writeSync(1, `${fs}\n`);
// The parent sets what only it may, and makes the file system of it; a line says that it is done.
for await (const _ of createInterface({ input: process.stdin })) break;
const mount = call("fsmount", FSMOUNT, fs, 0, 0);

const spec = fixture("globals.el");
// Without the token the rights are those of another namespace.
assert.throws(
  () => loadObject(spec),
  (error: unknown) => error instanceof SystemError && error.code === "EPERM",
);
{
  // What fsmount(2) gives is a path only: opened, it is a folder.
  using token = createToken(`/proc/self/fd/${mount}`);
  using object = loadObject(spec, { token, variables: { limit: 9 } });
  assert.equal(object.variables["limit"]?.get(), 9);
  assert.ok(object.maps[".data"] instanceof KeyedMap);
  // What was not delegated stays refused.
  const kprobe = { ...spec.programs["count"], type: "kprobe" as const };
  assert.throws(() => loadObject({ ...spec, programs: { count: kprobe as never } }, { token }));
}
assert.throws(() => createToken("/tmp"), { syscall: "bpf(BPF_TOKEN_CREATE)" });
assert.deepEqual(openFds(), []);
console.log("done");
