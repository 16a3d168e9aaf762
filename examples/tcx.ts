// tcx: two programs at an interface, one for each direction, count the bytes of a conversation. Linux 6.6; root. It is
// run in a network namespace of its own:
//
//   unshare --net sh -c 'ip link set lo up; node dist-test/examples/tcx.js'
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { loadObject } from "skep";
import type { Tcx } from "./tcx.bpf.d.ts";

using object = loadObject<Tcx>(new URL("tcx.bpf.o", import.meta.url));
object.attach({ interface: process.argv[2] ?? "lo" }); // both, by their sections: SEC("tcx/ingress"), SEC("tcx/egress")

const server = createServer((socket) => socket.end("x".repeat(100_000))).listen(0, "127.0.0.1");
await once(server, "listening");
let bytes = 0;
const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
socket.on("data", (chunk) => (bytes += chunk.length));
await once(socket, "close");
server.close();

const { sent, received } = object.variables;
console.log(`${bytes} bytes read; with headers ${sent.get()} were sent, ${received.get()} received`);
