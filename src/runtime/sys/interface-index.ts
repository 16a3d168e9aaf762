import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SIOCGIFNAME = 0x8910;
const SIOCGIFINDEX = 0x8933;
const ENODEV = 19;
/** `struct ifreq`: the name in 16 bytes with a NUL, the index behind it. */
const NAME = 16;
const SIZE = 40;

/** The index of a network interface of this process's namespace (netdevice(7)); undefined where there is none. */
export function interfaceIndexOf(name: string): number | undefined {
  const bytes = Buffer.from(name, "utf8");
  if (bytes.length === 0 || bytes.length >= NAME) return undefined;
  const request = new Uint8Array(SIZE);
  request.set(bytes);
  const found = ask(request, SIOCGIFINDEX, "SIOCGIFINDEX", name);
  return found ? new DataView(request.buffer).getInt32(NAME, true) : undefined;
}

/** The name of the network interface of this process's namespace that has an index; undefined where there is none. */
export function interfaceNameOf(index: number): string | undefined {
  const request = new Uint8Array(SIZE);
  new DataView(request.buffer).setInt32(NAME, index, true);
  if (!ask(request, SIOCGIFNAME, "SIOCGIFNAME", `of index ${index}`)) return undefined;
  return Buffer.from(request.subarray(0, request.indexOf(0))).toString("utf8");
}

function ask(request: Uint8Array, number: number, what: string, name: string): boolean {
  const doing = `look for interface ${name}`;
  const socket = native().syscall(nr.socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new SystemError({ errno: -socket, syscall: "socket", doing });
  using fd = new Fd(socket, `socket to ${doing}`);
  const result = native().syscall(nr.ioctl, fd.number, number, request);
  if (result >= 0) return true;
  if (result === -ENODEV) return false;
  throw new SystemError({ errno: -result, syscall: `ioctl(${what})`, doing });
}
