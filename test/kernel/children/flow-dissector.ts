// Runs in a network namespace of its own (unshare --net): a tc program has the hash of each packet made anew, for which the
// kernel takes the packet apart, by a program of the namespace's when there is one. Prints one line of JSON.
import { execFileSync } from "node:child_process";
import { Assembler, attachNetns, attachTc, loadObject, type ObjectSpec, r0, r1, r6 } from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { loopback, openSocket, socketCall } from "../../support/raw-socket.ts";

execFileSync("ip", ["link", "set", "lo", "up"]);
const a = new Assembler();
a.mov(r6, r1).call("set_hash_invalid").mov(r1, r6).call("get_hash_recalc").mov(r0, 0).exit();
const spec = {
  maps: {},
  programs: { hash: { type: "sched_cls", license: "GPL", instructions: a.instructions() } },
} as const satisfies ObjectSpec;
using hashing = loadObject(spec);
using _hash = attachTc(hashing.programs.hash, "lo", "egress");
using object = loadObject(countingObject({ type: "flow_dissector", expectedAttachType: "flow_dissector", own: false }));
const count = () => Number(object.maps.counts.get(0)?.[0]);
using socket = openSocket("inet4");
using receiver = openSocket("inet4");
socketCall("bind", receiver, [loopback("inet4", 9999), 16]);
const send = (times: number) => {
  for (let i = 0; i < times; i++) socketCall("sendto", socket, [new Uint8Array(4), 4, 0, loopback("inet4", 9999), 16]);
  return count();
};
const before = send(2);
const link = attachNetns(object.programs.p);
const during = send(3);
let again: string | undefined;
try {
  attachNetns(object.programs.p).close();
} catch (error) {
  again = (error as NodeJS.ErrnoException).code;
}
link.close();
console.log(JSON.stringify({ before, during, after: send(2), again }));
