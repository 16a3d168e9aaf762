// Every kind of program for a cgroup: this process is in a cgroup of its own and does what each kind is about. Nothing is
// refused, everything is counted; the same is done without the attachment, before and after.
import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { type AttachTypeName, attachCgroup, loadObject, type ProgramTypeName } from "../../src/sdk/index.ts";
import { countingObject } from "../support/attach-programs.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { kernelTest } from "../support/kernel-test.ts";
import {
  addressOf,
  type Family,
  loopback,
  openSocket,
  SO_RCVBUF,
  SOL_SOCKET,
  SocketType,
  socketCall,
} from "../support/raw-socket.ts";

const ONE_BYTE = new Uint8Array(1);

/** Two sockets for datagrams: bound, sent from one to the other, connected, asked for their addresses, closed. */
function exchange(family: Family): void {
  using receiver = openSocket(family);
  socketCall("bind", receiver, [loopback(family), loopback(family).length]);
  const address = addressOf(receiver);
  using sender = openSocket(family);
  // What has no address shows none to who receives.
  socketCall("bind", sender, [loopback(family), loopback(family).length]);
  socketCall("sendto", sender, [ONE_BYTE, 1, 0, address, address.length]);
  const from = new Uint8Array(128);
  assert.equal(socketCall("recvfrom", receiver, [new Uint8Array(1), 1, 0, from, Int32Array.of(from.length)]), 1);
  socketCall("connect", sender, [address, address.length]);
  assert.deepEqual(addressOf(sender, "getpeername"), address);
}

/** A connection: unix sockets ask on connecting streams, too. */
function connectStream(family: Family): void {
  using listener = openSocket(family, SocketType.stream);
  socketCall("bind", listener, [loopback(family), loopback(family).length]);
  socketCall("listen", listener, [1]);
  const address = addressOf(listener);
  using client = openSocket(family, SocketType.stream);
  socketCall("connect", client, [address, address.length]);
}

function setOption(): void {
  using socket = openSocket("inet4");
  socketCall("setsockopt", socket, [SOL_SOCKET, SO_RCVBUF, Int32Array.of(65_536), 4]);
}

function getOption(): void {
  using socket = openSocket("inet4");
  const value = Int32Array.of(0);
  socketCall("getsockopt", socket, [SOL_SOCKET, SO_RCVBUF, value, Int32Array.of(4)]);
  assert.ok((value[0] ?? 0) > 0);
}

const readSysctl = () => void readFileSync("/proc/sys/net/ipv4/ip_forward");
const openDevice = () => closeSync(openSync("/dev/zero", "r"));

type Kind = readonly [attachType: AttachTypeName, type: ProgramTypeName, act: () => void, kernel?: string];

const ofFamily = (family: "inet4" | "inet6"): Kind[] => {
  const act = () => exchange(family);
  const version = family.at(-1);
  return [
    [`cgroup_${family}_bind`, "cgroup_sock_addr", act],
    [`cgroup_${family}_post_bind`, "cgroup_sock", act],
    [`cgroup_${family}_connect`, "cgroup_sock_addr", act],
    [`cgroup_udp${version}_sendmsg` as AttachTypeName, "cgroup_sock_addr", act],
    [`cgroup_udp${version}_recvmsg` as AttachTypeName, "cgroup_sock_addr", act],
    [`cgroup_${family}_getsockname`, "cgroup_sock_addr", act],
    [`cgroup_${family}_getpeername`, "cgroup_sock_addr", act],
  ];
};

const unix = (): void => {
  exchange("unix");
  connectStream("unix");
};

const KINDS: readonly Kind[] = [
  ...ofFamily("inet4"),
  ...ofFamily("inet6"),
  ["cgroup_unix_connect", "cgroup_sock_addr", unix, "6.7"],
  ["cgroup_unix_sendmsg", "cgroup_sock_addr", unix, "6.7"],
  ["cgroup_unix_recvmsg", "cgroup_sock_addr", unix, "6.7"],
  ["cgroup_unix_getsockname", "cgroup_sock_addr", unix, "6.7"],
  ["cgroup_unix_getpeername", "cgroup_sock_addr", unix, "6.7"],
  ["cgroup_inet_ingress", "cgroup_skb", () => exchange("inet4")],
  ["cgroup_inet_egress", "cgroup_skb", () => exchange("inet4")],
  ["cgroup_inet_sock_create", "cgroup_sock", () => openSocket("inet4").close()],
  ["cgroup_inet_sock_release", "cgroup_sock", () => openSocket("inet4").close(), "5.9"],
  ["cgroup_sock_ops", "sock_ops", () => connectStream("inet4")],
  ["cgroup_setsockopt", "cgroup_sockopt", setOption],
  ["cgroup_getsockopt", "cgroup_sockopt", getOption],
  ["cgroup_sysctl", "cgroup_sysctl", readSysctl],
  ["cgroup_device", "cgroup_device", openDevice],
];

for (const [attachType, type, act, kernel] of KINDS) {
  const needs = { ...cgroup2, program: type, ...(kernel !== undefined && { kernel }) };
  kernelTest(`attach: ${attachType} counts what its cgroup does`, needs, async () => {
    using object = loadObject(countingObject({ type, expectedAttachType: attachType, own: false, result: 1 }));
    const count = () => Number(object.maps.counts.get(0)?.[0]);
    await inOwnCgroup((path) => {
      act();
      assert.equal(count(), 0, "nothing is counted before it is attached");
      const link = attachCgroup(object.programs.p, path);
      act();
      link.close();
      const counted = count();
      assert.ok(counted > 0, "it is counted while it is attached");
      act();
      assert.equal(count(), counted, "nothing is counted after it is closed");
    });
  });
}
