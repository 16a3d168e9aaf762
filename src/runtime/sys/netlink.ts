import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const REQUEST = 1;
const ACK = 4;
const NLMSG_ERROR = 2;
/** The reply carries attributes (NLM_F_ACK_TLVS); the request is not repeated in it (NLM_F_CAPPED). */
const ACK_ATTRIBUTES = 0x200;
const CAPPED = 0x100;
const HEADER = 16;

/** One attribute of a message: a number and bytes, or attributes in it. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: Uint8Array | readonly NetlinkAttribute[];
}

export interface NetlinkRequest {
  /** RTM_… */
  readonly type: number;
  /** NLM_F_…, besides REQUEST and ACK. */
  readonly flags?: number;
  /** The structure behind the header, e.g. `struct tcmsg`. */
  readonly body: Uint8Array;
  readonly attributes: readonly NetlinkAttribute[];
}

/** 4 bytes of a number, in the machine's order. */
export function netlinkU32(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}

/** A NUL-terminated text. */
export function netlinkText(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(`${text}\0`, "utf8"));
}

/**
 * Asks rtnetlink(7) for one thing, in this process's network namespace; 0 or −errno. `explain` gets the kernel's own
 * words for a refusal, where it has some.
 */
export function routeRequest(request: NetlinkRequest, explain?: (text: string) => void): number {
  const socket = native().syscall(nr.socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) throw new SystemError({ errno: -socket, syscall: "socket(AF_NETLINK)", doing: "talk to rtnetlink" });
  using fd = new Fd(socket, "netlink socket");
  native().syscall(nr.setsockopt, fd.number, SOL_NETLINK, NETLINK_EXT_ACK, netlinkU32(1), 4);
  const attributes = encodeAttributes(request.attributes);
  const message = new Uint8Array(HEADER + align(request.body.length) + attributes.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, request.type, true);
  view.setUint16(6, REQUEST | ACK | (request.flags ?? 0), true);
  message.set(request.body, HEADER);
  message.set(attributes, HEADER + align(request.body.length));
  const sent = native().syscall(nr.sendto, fd.number, message, message.length, 0, 0, 0);
  if (sent < 0) return sent;
  const reply = new Uint8Array(8192);
  const got = native().syscall(nr.recvfrom, fd.number, reply, reply.length, 0, 0, 0);
  if (got < 0) return got;
  const answer = new DataView(reply.buffer, 0, got);
  if (answer.getUint16(4, true) !== NLMSG_ERROR) return 0;
  const error = answer.getInt32(HEADER, true);
  const flags = answer.getUint16(6, true);
  if (error < 0 && (flags & ACK_ATTRIBUTES) !== 0) {
    const text = messageOf(reply.subarray(0, got), (flags & CAPPED) !== 0);
    if (text !== undefined) explain?.(text);
  }
  return error;
}

/** NLMSGERR_ATTR_MSG of an extended acknowledgement. */
function messageOf(reply: Uint8Array, capped: boolean): string | undefined {
  const view = new DataView(reply.buffer, reply.byteOffset, reply.byteLength);
  const request = capped ? HEADER : align(view.getUint32(HEADER + 4, true));
  for (let at = HEADER + 4 + request; at + 4 <= reply.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4) return undefined;
    if (view.getUint16(at + 2, true) === 1)
      return Buffer.from(reply.subarray(at + 4, at + length - 1)).toString("utf8");
    at += align(length);
  }
  return undefined;
}

function encodeAttributes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  const parts = attributes.map(({ type, value }) => {
    const bytes = value instanceof Uint8Array ? value : encodeAttributes(value);
    const part = new Uint8Array(align(4 + bytes.length));
    const view = new DataView(part.buffer);
    view.setUint16(0, 4 + bytes.length, true);
    view.setUint16(2, type, true);
    part.set(bytes, 4);
    return part;
  });
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function align(length: number): number {
  return (length + 3) & ~3;
}
