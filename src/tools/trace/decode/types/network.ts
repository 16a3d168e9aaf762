import { DOMAIN, IP, IPPROTO, IPV6, NETLINK, SO, SOCKFLAGS, SOCKTYPE, SOL, TCP } from "../constants/index.ts";
import { bufferJson, quote, textOf } from "../escape.ts";
import type { ArgumentType, CapturedBytes, DecodedCall } from "../model.ts";
import { captured, int, low, pointer, viewOf } from "../words.ts";

const AF_UNIX = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const AF_NETLINK = 16;

/** IPv6 text (RFC 5952): the longest run of two or more zero groups becomes `::`. */
export function ipv6Text(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number));
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && groups[i + n] === 0) n++;
    if (n > length) [start, length] = [i, n];
  }
  const mapped = start === 0 && length === 5 && groups[5] === 0xffff;
  if (mapped) return `::ffff:${bytes.subarray(12, 16).join(".")}`;
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

/** `10.0.0.1:80`, `[::1]:80`, a path, `@abstract`; undefined for families that have no such short form. */
export function endpointText(bytes: Uint8Array): string | undefined {
  if (bytes.length < 2) return undefined;
  const family = (bytes[0] as number) | ((bytes[1] as number) << 8);
  const port = bytes.length >= 4 ? ((bytes[2] as number) << 8) | (bytes[3] as number) : 0;
  if (family === AF_INET && bytes.length >= 8) return `${bytes.subarray(4, 8).join(".")}:${port}`;
  if (family === AF_INET6 && bytes.length >= 24) return `[${ipv6Text(bytes.subarray(8, 24))}]:${port}`;
  if (family === AF_UNIX) return unixName(bytes);
  return undefined;
}

/** The address family of a socket address. */
export function familyOf(capture: CapturedBytes | undefined): number | undefined {
  return viewOf(capture, 2)?.getUint16(0, true);
}

/** The same as `unixPath`, without quotes and escapes. */
function unixName(bytes: Uint8Array): string | undefined {
  if (bytes.length <= 2) return undefined;
  if (bytes[2] === 0) return `@${textOf(bytes.subarray(3))}`;
  const path = bytes.subarray(2);
  const end = path.indexOf(0);
  return textOf(path, end < 0 ? path.length : end);
}

/** A path in quotes, `@"name"` for an abstract address, undefined for an unnamed one (unix(7)). */
function unixPath(bytes: Uint8Array): string | undefined {
  if (bytes.length <= 2) return undefined;
  if (bytes[2] === 0) return `@${quote(bytes.subarray(3))}`;
  const path = bytes.subarray(2);
  const end = path.indexOf(0);
  return quote(path, end < 0 ? path.length : end);
}

/** A socket address as the C structure, with address and port in their usual form. */
export function sockaddrText(bytes: Uint8Array): string {
  if (bytes.length < 2) return "{}";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const family = view.getUint16(0, true);
  const name = DOMAIN.text(family);
  if (family === AF_UNIX) {
    const path = unixPath(bytes);
    return path === undefined ? `{sa_family=${name}}` : `{sa_family=${name}, sun_path=${path}}`;
  }
  if (family === AF_INET && bytes.length >= 8)
    return `{sa_family=${name}, sin_port=${view.getUint16(2)}, sin_addr=${bytes.subarray(4, 8).join(".")}}`;
  if (family === AF_INET6 && bytes.length >= 24) {
    const scope = bytes.length >= 28 ? view.getUint32(24, true) : 0;
    const address = `${ipv6Text(bytes.subarray(8, 24))}${scope === 0 ? "" : `%${scope}`}`;
    return `{sa_family=${name}, sin6_port=${view.getUint16(2)}, sin6_addr=${address}}`;
  }
  if (family === AF_NETLINK && bytes.length >= 12) {
    return `{sa_family=${name}, nl_pid=${view.getUint32(4, true)}, nl_groups=0x${view.getUint32(8, true).toString(16)}}`;
  }
  return `{sa_family=${name}, sa_data=${quote(bytes.subarray(2))}}`;
}

function address(captures: NonNullable<ArgumentType["captures"]>): ArgumentType {
  const text = (call: DecodedCall, arg: number) => {
    const got = captured(call, arg);
    return got === undefined ? pointer(call, arg) : sockaddrText(got.bytes);
  };
  return { captures, text };
}

const OPTION_SETS = { 0: IP, 1: SO, 6: TCP, 41: IPV6 } as const;

function optionName(call: DecodedCall, arg: number): string {
  const set = OPTION_SETS[int(call, 1) as keyof typeof OPTION_SETS];
  return set === undefined ? String(int(call, arg)) : set.text(int(call, arg));
}

/** An option's value: a number when it is an int, else bytes. */
function optionValue(call: DecodedCall, arg: number): string {
  const got = captured(call, arg);
  if (got === undefined) return pointer(call, arg);
  const view = viewOf(got, 4);
  if (got.length === 4 && view !== undefined) return `[${view.getInt32(0, true)}]`;
  return `${quote(got.bytes)}${got.length > got.bytes.length ? "..." : ""}`;
}

function optionJson(call: DecodedCall, arg: number): unknown {
  const got = captured(call, arg);
  return got === undefined || got.length === 4 ? optionValue(call, arg) : bufferJson(got);
}

/** The u32 behind a pointer, e.g. the length of an address. */
function pointedInt(call: DecodedCall, arg: number): string {
  const view = viewOf(captured(call, arg), 4);
  return view === undefined ? pointer(call, arg) : `[${view.getInt32(0, true)}]`;
}

export function socketType(value: number): string {
  const flags = value & ~0xf;
  const type = SOCKTYPE.text(value & 0xf);
  return flags === 0 ? type : `${type}|${SOCKFLAGS.text(flags)}`;
}

/** How a new socket is shown as an open file. */
export function socketText(domain: number, type: number, protocol: number): string {
  if (domain === AF_UNIX) return "UNIX";
  if (domain === AF_INET || domain === AF_INET6) {
    const six = domain === AF_INET6 ? "v6" : "";
    if ((type & 0xf) === 1) return protocol === 0 || protocol === 6 ? `TCP${six}` : `${IPPROTO.text(protocol)}${six}`;
    if ((type & 0xf) === 2) return protocol === 0 || protocol === 17 ? `UDP${six}` : `${IPPROTO.text(protocol)}${six}`;
  }
  if (domain === AF_NETLINK) return `NETLINK:${NETLINK.text(protocol).replace(/^NETLINK_/, "")}`;
  return `socket:${DOMAIN.text(domain).replace(/^AF_/, "")}`;
}

/** The address part of a capture, when there is one. */
export function endpointOf(capture: CapturedBytes | undefined): string | undefined {
  return capture === undefined ? undefined : endpointText(capture.bytes);
}

export const NETWORK: Readonly<Record<string, (parameter: number) => ArgumentType>> = {
  __proto__: null as never,
  saddr: (length) => address((arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: length }, max: 128 }]),
  saddrout: (length) => address((arg) => [{ arg, when: "exit", kind: "bytes", length: { deref: length }, max: 128 }]),
  intout: () => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { const: 4 } }],
    text: pointedInt,
  }),
  intin: () => ({ captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { const: 4 } }], text: pointedInt }),
  socktype: () => ({ text: (call, arg) => socketType(int(call, arg)) }),
  protocol: () => ({
    text: (call, arg) => {
      const domain = int(call, 0);
      if (domain === AF_INET || domain === AF_INET6) return IPPROTO.text(int(call, arg));
      if (domain === AF_NETLINK) return NETLINK.text(int(call, arg));
      return String(low(call, arg));
    },
  }),
  level: () => ({ text: (call, arg) => SOL.text(int(call, arg)) }),
  optname: () => ({ text: optionName }),
  optin: (length) => ({
    captures: (arg) => [{ arg, when: "enter", kind: "bytes", length: { arg: length }, max: 64 }],
    text: optionValue,
    json: optionJson,
  }),
  optout: (length) => ({
    captures: (arg) => [{ arg, when: "exit", kind: "bytes", length: { deref: length }, max: 64 }],
    text: optionValue,
    json: optionJson,
  }),
};
