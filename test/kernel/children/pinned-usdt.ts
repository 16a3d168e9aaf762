// Pins links to USDT probes in the bpffs whose folder is the first argument, and asserts how long they keep their places in the
// object's tables. The second argument is the fixture `usdt`.
import assert from "node:assert/strict";
import { attachUsdt, type LoadedObject, loadObject } from "../../../src/sdk/index.ts";
import { fixture as object } from "../../support/objects.ts";

const [folder, path] = process.argv.slice(2) as [string, string];
using loaded = loadObject(object("usdt.el"), { variables: { wanted: 0 } }) as LoadedObject;
const program = loaded.programs["on_probe"];
assert.ok(program !== undefined);
const { maxEntries } = loaded.maps["__bpf_usdt_specs"]?.info ?? { maxEntries: 0 };
assert.equal(maxEntries, 8);
const attach = (cookie: number) =>
  attachUsdt(loaded, program, { path, provider: "skep", name: "nothing", cookie: BigInt(cookie) });

// A pin that was taken back keeps nothing.
for (let i = 0; i < 2 * maxEntries; i++) {
  const link = attach(i);
  link.pin(`${folder}/link`);
  link.unpin();
  link.close();
}
// One that is there does: the kernel still runs the program.
const kept = Array.from({ length: maxEntries }, (_, i) => attach(i));
for (const [i, link] of kept.entries()) {
  link.pin(`${folder}/link${i}`);
  link.close();
}
assert.throws(() => attach(100), { code: "SKEP_USDT", message: /is full/ });
for (const link of kept) link.unpin();
