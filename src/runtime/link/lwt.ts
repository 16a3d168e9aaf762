import { netlinkText, netlinkU32, routeRequest, SystemError } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import { interfaceIndex } from "./interface.ts";
import { Link } from "./link.ts";

/** linux/rtnetlink.h, linux/lwtunnel.h. */
const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const CREATE = 0x400;
const EXCLUSIVE = 0x200;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PRIORITY = 6;
const RTA_ENCAP_TYPE = 21;
const RTA_ENCAP = 22;
const ENCAP_BPF = 6;
const NESTED = 0x8000;
const PLACES = { lwt_in: 1, lwt_out: 2, lwt_xmit: 3 } as const;
const PROGRAM_FD = 1;
const PROGRAM_NAME = 2;
const MAIN_TABLE = 254;
const PROTOCOL_STATIC = 4;
const SCOPE = { universe: 0, link: 253 } as const;
const UNICAST = 1;
const FAMILIES = { 4: 2, 6: 10 } as const;

/** The route that `attachLwt` makes for its program. */
export interface LwtOptions {
  /** Where packets are to go that the program gets: `10.1.2.0/24`, `2001:db8::/32`, or one address. */
  readonly destination: string;
  /** The interface that they leave by, by name or index. */
  readonly interface: string | number;
  /** The next router; none when left out, for what is on the interface's own network. */
  readonly gateway?: string;
  /** Routes of a lower number come first; the kernel's own choice when left out. */
  readonly metric?: number;
  /** When it runs; what the program's type says when left out: for packets that come in, that are routed, that leave. */
  readonly at?: keyof typeof PLACES;
}

/**
 * Attaches a program of type `lwt_in`, `lwt_out` or `lwt_xmit` (Linux 4.10, CONFIG_LWTUNNEL_BPF) to a new route of this network
 * namespace's main table. The route is there until the link is closed, also when the process ends without closing it. Needs CAP_BPF
 * and CAP_NET_ADMIN. Throws SystemError; EEXIST where there is such a route. The caller closes the link.
 */
export function attachLwt(program: Attachable, options: LwtOptions): Link {
  const { destination, gateway, metric } = options;
  const type = options.at ?? program.spec?.type;
  const place = PLACES[type as keyof typeof PLACES];
  if (place === undefined)
    throw new TypeError(
      `Program "${program.name}" is of type ${type ?? "unknown"}; routes take lwt_in, lwt_out and lwt_xmit: give at, or its type in the spec.`,
    );
  const [, address = "", length] = /^([^/]*)(?:\/(.*))?$/s.exec(destination) ?? [];
  const bytes = addressBytes(address);
  const bits = length === undefined ? bytes.length * 8 : /^\d+$/.test(length) ? Number(length) : Number.NaN;
  if (!(bits <= bytes.length * 8))
    throw new RangeError(`"${destination}" is no network: the number behind the / is from 0 to ${bytes.length * 8}.`);
  const description = `${type} of the route to ${destination}`;
  // struct rtmsg
  const body = new Uint8Array(12);
  const scope = gateway === undefined ? SCOPE.link : SCOPE.universe;
  body.set([FAMILIES[bytes.length === 4 ? 4 : 6], bits, 0, 0, MAIN_TABLE, PROTOCOL_STATIC, scope, UNICAST]);
  const attributes = [
    { type: RTA_DST, value: bytes },
    { type: RTA_OIF, value: netlinkU32(interfaceIndex(options.interface)) },
    ...(gateway === undefined ? [] : [{ type: RTA_GATEWAY, value: addressBytes(gateway) }]),
    ...(metric === undefined ? [] : [{ type: RTA_PRIORITY, value: netlinkU32(metric) }]),
  ];
  const encapsulation = [
    { type: RTA_ENCAP_TYPE, value: new Uint8Array(Uint16Array.of(ENCAP_BPF).buffer) },
    {
      type: RTA_ENCAP | NESTED,
      value: [
        {
          type: place | NESTED,
          value: [
            { type: PROGRAM_FD, value: netlinkU32(program.fd.number) },
            { type: PROGRAM_NAME, value: netlinkText(program.name) },
          ],
        },
      ],
    },
  ];
  let words: string | undefined;
  const result = routeRequest(
    { type: RTM_NEWROUTE, flags: CREATE | EXCLUSIVE, body, attributes: [...attributes, ...encapsulation] },
    (text) => {
      words = `The kernel says: ${text}`;
    },
  );
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "rtnetlink(RTM_NEWROUTE)",
      doing: `attach program "${program.name}" to ${description}`,
      hint: words ?? HINTS[-result],
      needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    });
  const undo = () => void routeRequest({ type: RTM_DELROUTE, body, attributes });
  return new Link(description, { undo });
}

const HINTS: Readonly<Record<number, string>> = {
  17: "There is a route to this destination: give another metric, or a smaller network.",
  22: "The destination is no network (bits behind its length are set), or the program is of another type.",
  95: "This kernel has no programs at routes (CONFIG_LWTUNNEL_BPF).",
};

/** The bytes of an address. Throws RangeError for a text that is none. */
function addressBytes(text: string): Uint8Array {
  const version = process.getBuiltinModule("node:net").isIP(text);
  if (version === 4) return Uint8Array.from(text.split("."), Number);
  if (version !== 6 || text.includes("%")) throw new RangeError(`"${text}" is no address of IPv4 or IPv6.`);
  // `::` stands for as many groups of zeros as are missing; the last two groups may be written as an address of IPv4.
  const plain = text.replace(/[\d.]+\.[\d.]+$/, (four) => {
    const [a = 0, b = 0, c = 0, d = 0] = four.split(".").map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [front = [], back = []] = plain.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const groups = plain.includes("::")
    ? [...front, ...new Array(8 - front.length - back.length).fill("0"), ...back]
    : front;
  return Uint8Array.from(
    groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]),
  );
}
