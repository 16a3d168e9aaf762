import { netlinkU32, routeRequest } from "../sys/index.ts";
import { type Attachable, attachError, type LinkRequest, linkFd, tryCreateLink } from "./create-link.ts";
import { interfaceIndex } from "./interface.ts";
import { Link } from "./link.ts";

/** XDP_FLAGS_* (linux/if_link.h). */
const MODES = { skb: 2, driver: 4, hardware: 8 } as const;
const UPDATE_IF_NOEXIST = 1;
const RTM_SETLINK = 19;
const IFLA_XDP = 43 | 0x8000;
const IFLA_XDP_FD = 1;
const IFLA_XDP_FLAGS = 3;
const EINVAL = 22;
const NO_PROGRAM = 0xffff_ffff;

/** How `attachXdp` attaches. */
export interface XdpOptions {
  /**
   * `skb`: in the stack, for every interface; `driver`: before the stack, where the driver can; `hardware`: in the card.
   * The kernel chooses when left out.
   */
  readonly mode?: keyof typeof MODES;
  /** `netlink` attaches as kernels before 5.9 did: it outlives a process that is killed. By itself the fall-back. */
  readonly through?: "link" | "netlink";
}

/**
 * Attaches a program of type `xdp` to a network interface, by name or index. Needs CAP_BPF and CAP_NET_ADMIN. Throws
 * SystemError; EBUSY where another program is attached. The caller closes the link.
 */
export function attachXdp(program: Attachable, interfaceName: string | number, options: XdpOptions = {}): Link {
  const index = interfaceIndex(interfaceName);
  const flags = options.mode === undefined ? 0 : MODES[options.mode];
  const request: LinkRequest = {
    description: `XDP of interface ${interfaceName}`,
    attachType: "xdp",
    target: index,
    flags,
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: {
      16: "A program is attached to the interface already, and XDP takes one (ip link show).",
      17: "A program is attached to the interface already, and XDP takes one (ip link show).",
      19: "There is no interface of that index in this network namespace.",
      95: "The interface's driver has no XDP in this mode: use mode skb.",
    },
  };
  if (options.through !== "netlink") {
    const result = tryCreateLink(program, request);
    if (result >= 0) return new Link(request.description, { link: linkFd(program, request, result) });
    if (result !== -EINVAL || options.through === "link")
      throw attachError(program, request, "bpf(BPF_LINK_CREATE)", -result);
  }
  const result = setProgram(index, program.fd.number, flags | UPDATE_IF_NOEXIST);
  if (result < 0) throw attachError(program, request, "rtnetlink(RTM_SETLINK)", -result);
  return new Link(request.description, { undo: () => void setProgram(index, NO_PROGRAM, flags) });
}

function setProgram(index: number, fd: number, flags: number): number {
  const body = new Uint8Array(16); // struct ifinfomsg: the index at 4
  new DataView(body.buffer).setInt32(4, index, true);
  const attributes = [
    { type: IFLA_XDP_FD, value: netlinkU32(fd) },
    { type: IFLA_XDP_FLAGS, value: netlinkU32(flags) },
  ];
  return routeRequest({ type: RTM_SETLINK, body, attributes: [{ type: IFLA_XDP, value: attributes }] });
}
