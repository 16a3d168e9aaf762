// Runs in a network namespace of its own (unshare --net): packets that an XDP program passes in a test run arrive at a socket
// as if they had come in at the loopback interface, and what it drops does not.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { loadObject } from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { pace } from "../../support/pace.ts";

execFileSync("ip", ["link", "set", "lo", "up"]);
// What comes in by itself is looked at, other than what was sent here: let loopback addresses pass.
for (const name of ["route_localnet", "accept_local"]) writeFileSync(`/proc/sys/net/ipv4/conf/lo/${name}`, "1");
for (const name of ["all", "lo"]) writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, "0");
const receiver = createSocket("udp4");
receiver.bind(0, "127.0.0.1");
await once(receiver, "listening");
let came = 0;
receiver.on("message", (message) => {
  assert.equal(message.toString(), "skep");
  came++;
});

/** An Ethernet frame with a UDP packet from loopback to loopback. */
function frame(port: number): Uint8Array {
  const bytes = new Uint8Array(14 + 20 + 8 + 4);
  const view = new DataView(bytes.buffer);
  view.setUint16(12, 0x0800);
  bytes.set([0x45, 0, 0, bytes.length - 14, 0, 0, 0, 0, 64, 17, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1], 14);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  view.setUint16(24, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
  view.setUint16(34, 4000);
  view.setUint16(36, port);
  view.setUint16(38, 12);
  bytes.set(Buffer.from("skep"), 42);
  return bytes;
}

const xdp = (result: number) => loadObject(countingObject({ type: "xdp", own: false, result }));
const data = frame(receiver.address().port);
const [DROP, PASS] = [1, 2];
for (const [result, repeat, liveFrames, expected] of [
  [DROP, 10, true, 0],
  [PASS, 10, true, 10],
  [PASS, 5, { batchSize: 2 }, 15],
] as const) {
  using object = xdp(result);
  const { retval } = object.programs.p.testRun({ data, repeat, liveFrames });
  assert.deepEqual([retval, object.maps.counts.get(0)?.[0]], [0, BigInt(repeat)]);
  const end = performance.now() + pace(2000, 10_000);
  while (came < expected && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(came, expected);
}
// A run without them sends nothing.
using object = xdp(PASS);
assert.equal(object.programs.p.testRun({ data, repeat: 3 }).retval, PASS);
await new Promise((resolve) => setTimeout(resolve, 50));
assert.equal(came, 15);
receiver.close();
console.log("done");
