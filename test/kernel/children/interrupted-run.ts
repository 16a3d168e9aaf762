// Runs a program very often while an interval timer sends signals all the time: the kernel gives up between two runs when one
// is pending, and what is asked for once must not run more often.
import assert from "node:assert/strict";
import { loadObject } from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { pace } from "../../support/pace.ts";
import { signalStorm } from "../../support/signal-storm.ts";

const repeat = pace(500_000, 20_000);
using object = loadObject(countingObject({ type: "socket_filter", own: false }));
const end = signalStorm();
for (let i = 1; i <= 5; i++) {
  object.programs.p.testRun({ data: new Uint8Array(14), repeat });
  assert.equal(object.maps.counts.get(0)?.[0], BigInt(i * repeat));
}
await end();
console.log("done");
