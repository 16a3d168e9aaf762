// Runs in a network namespace of its own (unshare --net): a program of type sk_lookup hands connections to a port where
// nobody listens to a socket that listens at another. Prints one line of JSON.
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import {
  Assembler,
  attachNetns,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r10,
} from "../../../src/sdk/index.ts";
import { countsMap } from "../../support/attach-programs.ts";

execFileSync("ip", ["link", "set", "lo", "up"]);
const server = createServer((socket) => socket.end());
server.listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as { port: number };
const closedPort = port === 65535 ? port - 1 : port + 1;

/** `local_port` in struct bpf_sk_lookup. */
const LOCAL_PORT = 60;
const a = new Assembler();
a.mov(r6, r1).load("u32", r7, r6, LOCAL_PORT).jne(r7, closedPort, "out");
a.store("u32", r10, -4, 0).mov(r2, r10).add(r2, -4).loadMap(r1, "sockets").call("map_lookup_elem").jeq(r0, 0, "out");
a.mov(r7, r0).mov(r1, r6).mov(r2, r7).mov(r3, 0).call("sk_assign").mov(r1, r7).call("sk_release");
a.loadMapValue(r1, "counts", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
a.label("out").mov(r0, 1).exit();
const spec = {
  maps: { counts: countsMap, sockets: { type: "sockmap", keySize: 4, valueSize: 4, maxEntries: 1 } },
  programs: {
    p: { type: "sk_lookup", expectedAttachType: "sk_lookup", license: "GPL", instructions: a.instructions() },
  },
} as const satisfies ObjectSpec;

async function attempt(): Promise<string> {
  const socket = connect(closedPort, "127.0.0.1");
  try {
    await once(socket, "connect");
    return "connected";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "?";
  } finally {
    socket.destroy();
  }
}

using object = loadObject(spec);
const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
object.maps.sockets.setRaw(new Uint8Array(4), new Uint8Array(Uint32Array.of(fd).buffer));
const before = await attempt();
const counted = Number(object.maps.counts.get(0)?.[0]);
const link = attachNetns(object.programs.p);
const during = await attempt();
link.close();
const after = await attempt();
server.close();
console.log(JSON.stringify({ before, counted, during, after }));
