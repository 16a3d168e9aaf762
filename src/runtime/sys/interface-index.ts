import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SIOCGIFINDEX = 0x8933;
const ENODEV = 19;

/** The index of a network interface of this process's namespace (netdevice(7)); undefined where there is none. */
export function interfaceIndexOf(name: string): number | undefined {
  const bytes = Buffer.from(name, "utf8");
  // struct ifreq: the name in 16 bytes with a NUL, the index behind it.
  if (bytes.length === 0 || bytes.length > 15) return undefined;
  const request = new Uint8Array(40);
  request.set(bytes);
  const socket = native().syscall(nr.socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new SystemError({ errno: -socket, syscall: "socket", doing: `look for interface ${name}` });
  using fd = new Fd(socket, `socket to look for interface ${name}`);
  const result = native().syscall(nr.ioctl, fd.number, SIOCGIFINDEX, request);
  if (result === -ENODEV) return undefined;
  if (result < 0)
    throw new SystemError({ errno: -result, syscall: "ioctl(SIOCGIFINDEX)", doing: `look for interface ${name}` });
  return new DataView(request.buffer).getInt32(16, true);
}
