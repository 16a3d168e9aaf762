// Runs in a network namespace of its own (unshare --net): makes a pair of interfaces, sends packets from one to the other,
// and shows what XDP and tc programs at the receiving end do to them. Prints one line of JSON.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { native, nr } from "../../../src/runtime/sys/index.ts";
import {
  type Assembler,
  attachNetfilter,
  attachTc,
  attachTcx,
  attachXdp,
  type Link,
  loadObject,
  type Program,
  r0,
  r2,
  r3,
  r4,
  r6,
} from "../../../src/sdk/index.ts";
import { type Counting, countingObject } from "../../support/attach-programs.ts";
import { pace } from "../../support/pace.ts";

const PORT = 9999;
/** How long a packet may be on its way. */
const PATIENCE_MS = pace(1000, 10_000);
const ip = (...args: readonly string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "inherit"] });

function setUp(): void {
  ip("link", "set", "lo", "up");
  ip("link", "add", "sender", "type", "veth", "peer", "name", "receiver");
  // The address belongs to this namespace at both ends: let the receiving one take packets from it.
  for (const name of ["all", "receiver"]) {
    writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, "0");
    writeFileSync(`/proc/sys/net/ipv4/conf/${name}/accept_local`, "1");
  }
  ip("address", "add", "192.0.2.1/24", "broadcast", "192.0.2.255", "dev", "sender");
  ip("link", "set", "sender", "up");
  ip("link", "set", "receiver", "up");
}

/** A socket that hears what comes in at one interface only. */
async function listen(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  socket.bind(PORT);
  await once(socket, "listening");
  const SOL_SOCKET = 1;
  const SO_BINDTODEVICE = 25;
  const name = new Uint8Array(Buffer.from("receiver\0"));
  const { fd } = (socket as unknown as { _handle: { fd: number } })._handle;
  assert.equal(native().syscall(nr.setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, name, name.length), 0);
  return socket;
}

/** Sends a number of packets, and waits until all came, or until they were seen and dropped; how many came. */
async function exchange(count: number, patienceMs: number, dropped = () => 0): Promise<number> {
  let came = 0;
  const hear = () => void came++;
  receiver.on("message", hear);
  for (let i = 0; i < count; i++) {
    await new Promise<void>((resolve, reject) =>
      sender.send("skep", PORT, "192.0.2.255", (error) => (error === null ? resolve() : reject(error))),
    );
  }
  const end = performance.now() + patienceMs;
  while (came < count && dropped() < count && performance.now() < end) await sleep(10);
  // One that was counted as dropped and comes all the same comes soon.
  if (came < count) await sleep(pace(50, 200));
  receiver.off("message", hear);
  return came;
}

/** Ethernet, IPv4 with a header of 20 bytes, UDP to the port. `data` and `end` are offsets in the context. */
const udpTo = (data: number, end: number) => (a: Assembler) => {
  const BYTES = 14 + 20 + 8;
  a.load("u32", r2, r6, data).load("u32", r3, r6, end).mov(r4, r2).add(r4, BYTES).jgt(r4, r3, "out");
  a.load("u8", r0, r2, 23).jne(r0, 17, "out");
  a.load("u16", r0, r2, 36).jne(r0, ((PORT & 0xff) << 8) | (PORT >> 8), "out");
};

const DROP: Readonly<Record<string, Counting>> = {
  xdp: { type: "xdp", expectedAttachType: "xdp", own: false, result: 1, otherwise: 2, when: udpTo(0, 4) },
  netfilter: { type: "netfilter", expectedAttachType: "netfilter", own: false, result: 0 },
  tc: { type: "sched_cls", own: false, result: 2, otherwise: 0, when: udpTo(76, 80) },
};

const KINDS: Readonly<Record<string, readonly [keyof typeof DROP, (program: Program) => Link]>> = {
  xdp: ["xdp", (program) => attachXdp(program, "receiver")],
  "xdp-skb": ["xdp", (program) => attachXdp(program, "receiver", { mode: "skb" })],
  "xdp-netlink": ["xdp", (program) => attachXdp(program, "receiver", { through: "netlink" })],
  tc: ["tc", (program) => attachTc(program, "receiver", "ingress")],
  "tc-egress": ["tc", (program) => attachTc(program, "sender", "egress")],
  netfilter: ["netfilter", (program) => attachNetfilter(program, { family: "ipv4", hook: "input", priority: -10 })],
  tcx: ["tc", (program) => attachTcx(program, "receiver", "ingress")],
};

setUp();
const sender = createSocket("udp4");
sender.bind(0, "192.0.2.1");
await once(sender, "listening");
sender.setBroadcast(true);
const receiver = await listen();
// Interfaces that were made just now take a moment until they carry packets.
for (let tries = 0; tries < 100; tries++) if ((await exchange(1, pace(50, 200))) === 1) break;
const results: Record<string, unknown> = {};
for (const kind of process.argv.slice(2)) {
  const [name, attach] = KINDS[kind] ?? assert.fail(`There is no kind ${kind}.`);
  using object = loadObject(countingObject(DROP[name] as Counting));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const before = await exchange(3, PATIENCE_MS);
  const countedBefore = count();
  const link = attach(object.programs.p);
  const during = await exchange(4, PATIENCE_MS, count);
  link.close();
  const counted = count();
  const after = await exchange(5, PATIENCE_MS);
  results[kind] = { before, countedBefore, during, counted, after, countedAfter: count() };
}
sender.close();
receiver.close();
console.log(JSON.stringify(results));
