// cgroup/connect4: a command in a cgroup of its own connects to 192.0.2.1, an address that nobody has, and is answered by this
// process: the program has written another address into its call. Linux 5.8 with cgroup2; root.
//
//   node dist-test/examples/cgroup-connect.js
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { loadObject } from "skep";
import type { CgroupConnect } from "./cgroup-connect.bpf.d.ts";

const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/mounts", "latin1"))?.[1];
if (mount === undefined) throw new Error("No cgroup2 is mounted.");

const server = createServer((_, response) => response.end("hello from this machine")).listen(0, "127.0.0.1");
await once(server, "listening");
const variables = { port: (server.address() as AddressInfo).port };
using object = loadObject<CgroupConnect>(new URL("cgroup-connect.bpf.o", import.meta.url), { variables });

const cgroup = `${mount}/skep-example-${process.pid}`;
mkdirSync(cgroup);
try {
  object.attach({ cgroup });
  // The shell joins the cgroup, and becomes the command.
  const join = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
  const ask = 'fetch("http://192.0.2.1").then(async (answer) => console.log(await answer.text()))';
  const child = spawn("sh", ["-c", join, cgroup, process.execPath, "-e", ask], { stdio: "inherit" });
  await once(child, "exit");
  console.log(`connections redirected: ${object.variables.redirected.get()}`);
} finally {
  server.close();
  object.close();
  rmdirSync(cgroup);
}
