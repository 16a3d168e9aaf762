import assert from "node:assert/strict";
import { netlinkText, routeRequest } from "../../src/runtime/sys/index.ts";

const RTM_NEWLINK = 16;
const CREATE = 0x400;
const EXCLUSIVE = 0x200;
const IFLA_IFNAME = 3;
const IFLA_LINKINFO = 18;
const IFLA_INFO_KIND = 1;

/** Makes a netkit pair in this process's network namespace: ip(8) of some distributions is older than the kind. */
export function makeNetkit(name: string): void {
  const result = routeRequest({
    type: RTM_NEWLINK,
    flags: CREATE | EXCLUSIVE,
    body: new Uint8Array(16), // struct ifinfomsg
    attributes: [
      { type: IFLA_IFNAME, value: netlinkText(name) },
      { type: IFLA_LINKINFO, value: [{ type: IFLA_INFO_KIND, value: netlinkText("netkit") }] },
    ],
  });
  assert.equal(result, 0, `netkit device ${name}`);
}
