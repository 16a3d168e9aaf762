// Runs in a network namespace of its own (unshare --net): a pair of netkit interfaces, and a program for what leaves by each.
// Prints one line of JSON.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { netlinkText, routeRequest } from "../../../src/runtime/sys/index.ts";
import { attachNetkit, loadObject, r6, r7 } from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { loopback, openSocket, socketCall } from "../../support/raw-socket.ts";

const ip = (...args: readonly string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "inherit"] });
// Older ip(8) does not know the kind: RTM_NEWLINK, with IFLA_IFNAME and IFLA_LINKINFO of IFLA_INFO_KIND.
const created = routeRequest({
  type: 16,
  flags: 0x600,
  body: new Uint8Array(16),
  attributes: [
    { type: 3, value: netlinkText("primary") },
    { type: 18, value: [{ type: 1, value: netlinkText("netkit") }] },
  ],
});
assert.equal(created, 0);
// The other end has a name of the kernel's choice.
const peer = /^\d+: (nk\d+)@/m.exec(ip("-o", "link").toString())?.[1];
assert.ok(peer !== undefined);
for (const [name, network] of [
  ["primary", "192.0.2.1/24"],
  [peer, "198.51.100.1/24"],
] as const) {
  ip("address", "add", network, "dev", name);
  ip("link", "set", name, "up");
}
const NETKIT_DROP = 2;
const NETKIT_PASS = 0;
const PORT = 9999;
using socket = openSocket("inet4");
const results: Record<string, unknown> = {};
for (const [end, last] of [
  ["primary", [192, 0, 2, 2]],
  ["peer", [198, 51, 100, 2]],
] as const) {
  const address = loopback("inet4", PORT);
  address.set(last, 4);
  // Only packets of IPv4: interfaces that come up send some of IPv6 by themselves. `protocol` is in the network's order.
  using object = loadObject(
    countingObject({
      type: "sched_cls",
      expectedAttachType: end === "primary" ? "netkit_primary" : "netkit_peer",
      own: false,
      result: NETKIT_DROP,
      otherwise: NETKIT_PASS,
      when: (a) => void a.load("u32", r7, r6, 16).jne(r7, 8, "out"),
    }),
  );
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const send = (times: number) => {
    for (let i = 0; i < times; i++) socketCall("sendto", socket, [new Uint8Array(4), 4, 0, address, address.length]);
    return count();
  };
  const before = send(2);
  const link = attachNetkit(object.programs.p, "primary", end);
  const during = send(2);
  link.close();
  results[end] = { before, during, after: send(2) };
}
console.log(JSON.stringify(results));
