// Installs an object in a folder of a bpffs (first argument) where somebody else pins, too, with programs of a cgroup (second).
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  array,
  createMap,
  installObject,
  type KeyedMap,
  type ObjectSpec,
  openFds,
  trackFds,
  u32,
  u64,
  uninstallObject,
} from "../../../src/sdk/index.ts";
import { counting, countsMap } from "../../support/attach-programs.ts";
import { openSocket } from "../../support/raw-socket.ts";

trackFds();
const [folder = "", cgroup = ""] = process.argv.slice(2);
mkdirSync(folder);
using mine = createMap({ type: "array", value: u32, maxEntries: 1 }, "mine");
mine.pin(join(folder, "mine"));

/** Programs that count by their steps when a socket is made in the cgroup. */
function spec(steps: Readonly<Record<string, number>>, value = countsMap.value): ObjectSpec {
  const program = (step: number) =>
    counting({ type: "cgroup_sock", expectedAttachType: "cgroup_inet_sock_create", own: false, result: 1, step });
  const programs = Object.fromEntries(Object.entries(steps).map(([name, step]) => [name, program(step)]));
  return { maps: { counts: { ...countsMap, value } }, programs };
}

const object = await installObject(folder, spec({ kept: 1, gone: 100 }), { attach: { cgroup } });
let settled = false;
await object.replace(spec({ kept: 10 }, array(u64, 3)), {
  migrate: {
    counts: {
      settle(before) {
        const count = () => (before as KeyedMap<number, bigint[]>).get(0)?.[0];
        const was = count();
        openSocket("inet4").close();
        assert.equal(count(), was, "what is gone counts no more, although it was pinned");
        settled = true;
      },
    },
  },
});
assert.ok(settled);
object.close();
uninstallObject(folder);
assert.deepEqual(readdirSync(folder), ["mine"], "what others pin stays");
mine.unpin();

// What is refused leaves no folder.
const elsewhere = `/tmp/skep-no-bpffs-${process.pid}`;
await assert.rejects(installObject(elsewhere, spec({ kept: 1 })), { code: "SKEP_REPLACE", message: /is in no bpffs/ });
assert.ok(!existsSync(elsewhere));
mine.close();
assert.deepEqual(openFds(), []);
process.stdout.write("done\n");
