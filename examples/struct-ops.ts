// struct_ops: TCP asks programs how fast it may send, here those of a congestion control of one's own. Linux 5.8 with BTF;
// root. It is run in a network namespace of its own, whose connections all use it:
//
//   unshare --net sh -c 'ip link set lo up; node dist-test/examples/struct-ops.js'
import { once } from "node:events";
import { readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { loadObject } from "skep";
import type { StructOps } from "./struct-ops.bpf.d.ts";

const CHOSEN = "/proc/sys/net/ipv4/tcp_congestion_control";
if (readlinkSync("/proc/self/ns/net") === readlinkSync("/proc/1/ns/net"))
  throw new Error("This is the machine's own network namespace: run it in another (unshare --net).");

using object = loadObject<StructOps>(new URL("struct-ops.bpf.o", import.meta.url));
object.attach(); // the table skep_steady
const before = readFileSync(CHOSEN, "latin1").trim();
try {
  writeFileSync(CHOSEN, "skep_steady");
  console.log(`congestion control: ${readFileSync(CHOSEN, "latin1").trim()} in place of ${before}`);
  const server = createServer((socket) => socket.end("x".repeat(1_000_000))).listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1").resume();
  await once(socket, "close");
  server.close();
} finally {
  writeFileSync(CHOSEN, before);
}
const { sockets, acknowledgements } = object.variables;
console.log(`${sockets.get()} sockets began with it, and asked at ${acknowledgements.get()} acknowledgements`);
