// Sockets by their system calls, one after the other and without an event loop: tests know exactly what was asked for.
import assert from "node:assert/strict";
import { Fd, native, nr } from "../../src/runtime/sys/index.ts";

/** Calls that Skep itself does not make. */
const NUMBERS = {
  x64: { connect: 42, bind: 49, listen: 50, getsockname: 51, getpeername: 52, getsockopt: 55, accept4: 288 },
  arm64: { connect: 203, bind: 200, listen: 201, getsockname: 204, getpeername: 205, getsockopt: 209, accept4: 242 },
} as const;
const own = process.arch === "arm64" ? NUMBERS.arm64 : NUMBERS.x64;
const all = { ...own, setsockopt: nr.setsockopt, sendto: nr.sendto, recvfrom: nr.recvfrom };

export type Family = "inet4" | "inet6" | "unix";
const FAMILIES = { unix: 1, inet4: 2, inet6: 10 } as const;
export const SocketType = { stream: 1, datagram: 2 } as const;
export const SOL_SOCKET = 1;
export const SO_RCVBUF = 8;
export const SO_REUSEPORT = 15;

/** Makes a call on a socket; the result. Fails the test where the kernel refuses, unless `allow` has the errno. */
export function socketCall(
  name: keyof typeof all,
  socket: Fd,
  args: readonly (number | Uint8Array | Int32Array)[],
  allow: readonly number[] = [],
): number {
  const result = native().syscall(all[name], socket.number, ...(args as []));
  assert.ok(result >= 0 || allow.includes(-result), `${name}: ${result}`);
  return result;
}

export function openSocket(family: Family, type: number = SocketType.datagram): Fd {
  const result = native().syscall(nr.socket, FAMILIES[family], type, 0);
  assert.ok(result >= 0, `socket(${family}): ${result}`);
  return new Fd(result, `${family} socket`);
}

/** A loopback address with a port, or an address of the kernel's choice for unix sockets. */
export function loopback(family: Family, port = 0): Uint8Array {
  const bytes = new Uint8Array(family === "unix" ? 2 : family === "inet4" ? 16 : 28);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, FAMILIES[family], true);
  if (family === "unix") return bytes;
  view.setUint16(2, port);
  if (family === "inet4") bytes.set([127, 0, 0, 1], 4);
  else bytes[23] = 1;
  return bytes;
}

/** The address that a socket has, or the one that it is connected to. */
export function addressOf(socket: Fd, call: "getsockname" | "getpeername" = "getsockname"): Uint8Array {
  const bytes = new Uint8Array(128);
  const length = Int32Array.of(bytes.length);
  socketCall(call, socket, [bytes, length]);
  return bytes.slice(0, length[0]);
}

export const portOf = (address: Uint8Array): number => new DataView(address.buffer, address.byteOffset).getUint16(2);
