import { readFileSync, readlinkSync } from "node:fs";
import { endpointText, type Opened, type SocketName } from "./decode/index.ts";

const AF_INET = 2;
const AF_INET6 = 10;
const FRESH_MS = 1000;

/** What /proc says of a descriptor, as text to be shown; a socket is looked up when it is shown first. */
export function openedAs(pid: number, link: string): Opened {
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? link : () => socketName(pid, inode) ?? link;
}

interface Known {
  readonly at: number;
  readonly names: ReadonlyMap<string, SocketName>;
}

/** Sockets by inode, for each network namespace that was asked for. */
const known = new Map<string, Known>();

/** A socket of a process by its inode; undefined when /proc does not tell. */
function socketName(pid: number, inode: string): SocketName | undefined {
  let namespace: string;
  try {
    namespace = readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
  let entry = known.get(namespace);
  const found = entry?.names.get(inode);
  if (found !== undefined || (entry !== undefined && Date.now() - entry.at < FRESH_MS)) return found;
  entry = { at: Date.now(), names: readSockets(pid) };
  known.set(namespace, entry);
  return entry.names.get(inode);
}

function readSockets(pid: number): Map<string, SocketName> {
  const names = new Map<string, SocketName>();
  for (const [file, parse] of Object.entries(FILES)) {
    for (const line of tableLines(`/proc/${pid}/net/${file}`)) {
      const row = parse(line.trim().split(/\s+/), line);
      if (row !== undefined) names.set(...row);
    }
  }
  return names;
}

function tableLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n").slice(1);
  } catch {
    // A protocol that this kernel does not have.
    return [];
  }
}

type Row = [inode: string, name: SocketName];
type Parse = (words: readonly string[], line: string) => Row | undefined;

/** `sl local_address rem_address st … inode`: the tenth word (proc_pid_net(5)). */
const internet =
  (socket: string): Parse =>
  (words) => {
    const [, local, peer] = words;
    const inode = words[9];
    if (local === undefined || peer === undefined || inode === undefined) return undefined;
    const ends = { local: endpoint(local), peer: endpoint(peer) };
    return [
      inode,
      {
        socket,
        ...(ends.local !== undefined && { local: ends.local }),
        ...(ends.peer !== undefined && { peer: ends.peer }),
      },
    ];
  };

/** `Num RefCount Protocol Flags Type St Inode Path`. */
const unix: Parse = (words) => {
  const inode = words[6];
  const path = words.slice(7).join(" ");
  return inode === undefined ? undefined : [inode, { socket: "UNIX", ...(path !== "" && { local: path }) }];
};

/** `sk Eth Pid … Inode`, the last word. */
const netlink: Parse = (words) => {
  const inode = words.at(-1);
  return words.length < 10 || inode === undefined ? undefined : [inode, { socket: "NETLINK" }];
};

const FILES: Readonly<Record<string, Parse>> = {
  tcp: internet("TCP"),
  tcp6: internet("TCPv6"),
  udp: internet("UDP"),
  udp6: internet("UDPv6"),
  raw: internet("IPPROTO_RAW"),
  raw6: internet("IPPROTO_RAWv6"),
  unix,
  netlink,
};

/** `0100007F:0050`: an address in words of the machine's byte order, and a port; undefined for one that is not set. */
function endpoint(text: string): string | undefined {
  const [address = "", port = ""] = text.split(":");
  if (/^0*$/.test(port)) return undefined;
  const words = Buffer.from(address, "hex");
  words.swap32();
  const bytes = new Uint8Array(28);
  bytes.set([
    words.length === 4 ? AF_INET : AF_INET6,
    0,
    Number.parseInt(port.slice(0, 2), 16),
    Number.parseInt(port.slice(2), 16),
  ]);
  bytes.set(words, words.length === 4 ? 4 : 8);
  return endpointText(bytes);
}
