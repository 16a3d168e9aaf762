// XDP: UDP packets for one port are dropped as they arrive, those for another pass. Linux 5.8; root. In a network
// namespace of its own, where it is nobody's business what becomes of lo:
//
//   unshare --net sh -c 'ip link set lo up; node dist-test/examples/xdp.js'
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { loadObject } from "skep";
import type { Xdp } from "./xdp.bpf.d.ts";

const PACKETS = 5;

async function listening(): Promise<Socket> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

const [open, shut, sender] = [await listening(), await listening(), createSocket("udp4")];
const variables = { port: shut.address().port };
using object = loadObject<Xdp>(new URL("xdp.bpf.o", import.meta.url), { variables });
object.attach({ interface: process.argv[2] ?? "lo" });

let arrived = 0;
shut.on("message", () => arrived++);
for (let i = 0; i < PACKETS; i++) {
  sender.send("to nobody", shut.address().port, "127.0.0.1");
  sender.send("hello", open.address().port, "127.0.0.1");
  await once(open, "message");
}
for (const socket of [open, shut, sender]) socket.close();
const { passed, dropped } = object.variables;
console.log(`${passed.get()} packets passed, ${dropped.get()} were dropped, ${arrived} of those arrived`);
