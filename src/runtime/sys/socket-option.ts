import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

const SOL_SOCKET = 1;

/** Options of SOL_SOCKET that take or drop a program (asm-generic/socket.h). */
export const SocketOption = {
  detach_filter: 27,
  attach_bpf: 50,
  attach_reuseport_ebpf: 52,
  detach_reuseport: 68,
} as const;

/** setsockopt(2) with a number, on a socket of anybody's; 0 or −errno. */
export function setSocketOption(socket: number, option: keyof typeof SocketOption, value: number): number {
  const bytes = new Uint8Array(Int32Array.of(value).buffer);
  return native().syscall(nr.setsockopt, socket, SOL_SOCKET, SocketOption[option], bytes, 4);
}
