// Runs in a network namespace of its own (unshare --net): programs at routes, for packets that leave and that come in. Prints
// one line of JSON.
import { execFileSync } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { attachLwt, loadObject } from "../../../src/sdk/index.ts";
import { countingObject } from "../../support/attach-programs.ts";
import { pace } from "../../support/pace.ts";

const ip = (...args: readonly string[]) => execFileSync("ip", args, { stdio: ["ignore", "pipe", "inherit"] });
/** BPF_DROP of enum bpf_ret_code. */
const DROP = 2;

ip("link", "set", "lo", "up");
const address = "02:00:00:00:00:02";
ip("link", "add", "sender", "type", "veth", "peer", "name", "receiver", "address", address);
for (const name of ["all", "receiver"]) {
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/rp_filter`, "0");
  writeFileSync(`/proc/sys/net/ipv4/conf/${name}/accept_local`, "1");
}
writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
ip("address", "add", "192.0.2.1/24", "dev", "sender");
ip("link", "set", "sender", "up");
ip("link", "set", "receiver", "up");
// A route besides, for when ours is not there; to a neighbour that is the pair's other end.
ip("route", "add", "198.51.100.0/24", "dev", "sender");
for (const one of ["198.51.100.1", "198.51.100.2"]) ip("neigh", "add", one, "lladdr", address, "dev", "sender");

const socket = createSocket("udp4");
socket.bind();
await once(socket, "listening");
/** The errno's name of a packet that could not be sent. */
const send = (to: string) =>
  new Promise<string | undefined>((resolve) =>
    socket.send("skep", 9999, to, (error) => resolve((error as NodeJS.ErrnoException | null)?.code)),
  );

const results: Record<string, unknown> = {};
for (const type of ["lwt_out", "lwt_xmit", "lwt_in"] as const) {
  using object = loadObject(countingObject({ type, own: false, result: DROP }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const to = "198.51.100.1";
  // Without the program a packet goes round until it is too old; one that came in again is not sent by us.
  const first = type === "lwt_in" ? undefined : await send(to);
  const before = count();
  const link = attachLwt(object.programs.p, { destination: `${to}/32`, interface: "sender" });
  const during = [await send(to), await send(to)];
  const end = performance.now() + pace(500, 5000);
  while (count() < 2 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  const counted = count();
  let again: string | undefined;
  try {
    attachLwt(object.programs.p, { destination: `${to}/32`, interface: "sender" }).close();
  } catch (error) {
    again = (error as NodeJS.ErrnoException).code;
  }
  link.close();
  const other = type === "lwt_in" ? undefined : await send(to);
  results[type] = { first, before, during, counted, again, other, after: count() - counted };
}
socket.close();
console.log(JSON.stringify(results));
