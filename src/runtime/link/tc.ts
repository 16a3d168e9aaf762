import { netlinkText, netlinkU32, routeRequest, SystemError } from "../sys/index.ts";
import { type AnchorOptions, placementOf } from "./anchor.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { interfaceIndex } from "./interface.ts";
import { Link } from "./link.ts";

/** Packets that come in at an interface, or that leave by it. */
export type Direction = "ingress" | "egress";

/**
 * Attaches a program of type `sched_cls` to an interface's packets by a tcx link (Linux 6.6). Programs run one after the
 * other; TCX_NEXT (−1) hands on. `options` say where among those that are there; behind all of them when left out. Needs
 * CAP_BPF and CAP_NET_ADMIN. Throws SystemError: ENOENT where the anchor is not attached, ESTALE for another revision. The
 * caller closes the link.
 */
export function attachTcx(
  program: Attachable,
  interfaceName: string | number,
  direction: Direction,
  options: AnchorOptions = {},
): Link {
  const { flags, fill, hints } = placementOf(options);
  const description = `tcx ${direction} of interface ${interfaceName}`;
  const link = createLink(program, {
    description,
    attachType: direction === "ingress" ? "tcx_ingress" : "tcx_egress",
    flags,
    fill,
    target: interfaceIndex(interfaceName),
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: {
      ...hints,
      22: "tcx needs Linux 6.6: attachTc does the same with a filter of tc.",
      19: "There is no such interface here.",
    },
  });
  return new Link(description, { link });
}

/**
 * Attaches a program of type `sched_cls` to one end of a netkit pair (Linux 6.7). `peer` is the end in the container.
 * `options` say where among those that are there, as for tcx. Needs CAP_BPF and CAP_NET_ADMIN. The caller closes the link.
 */
export function attachNetkit(
  program: Attachable,
  interfaceName: string | number,
  end: "primary" | "peer",
  options: AnchorOptions = {},
): Link {
  const { flags, fill, hints } = placementOf(options);
  const description = `netkit ${end} of interface ${interfaceName}`;
  const link = createLink(program, {
    description,
    attachType: end === "primary" ? "netkit_primary" : "netkit_peer",
    flags,
    fill,
    target: interfaceIndex(interfaceName),
    needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    hints: { ...hints, 22: "The interface is no netkit device, or the kernel is older than 6.7." },
  });
  return new Link(description, { link });
}

const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const RTM_DELTFILTER = 45;
const CREATE = 0x400;
const EXCLUSIVE = 0x200;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_BPF_FD = 6;
const TCA_BPF_NAME = 7;
const TCA_BPF_FLAGS = 8;
/** The program's own return value is the verdict. */
const DIRECT_ACTION = 1;
const CLSACT = 0xffff_fff1;
const PARENT = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
const ETH_P_ALL = 3;
const EEXIST = 17;

/** Where `attachTc` puts its filter. */
export interface TcOptions {
  /** Filters run in the order of their priority, from 1 to 65535; 1 when left out. */
  readonly priority?: number;
  /** Which of the filters of that priority; 1 when left out. */
  readonly handle?: number;
}

/**
 * Attaches a program of type `sched_cls` to an interface's packets as a filter of tc (qdisc clsact, Linux 4.5), for
 * kernels without tcx. The filter stays when the process is killed; the qdisc always does, as others may use it. Needs
 * CAP_BPF and CAP_NET_ADMIN. The caller closes the link.
 */
export function attachTc(
  program: Attachable,
  interfaceName: string | number,
  direction: Direction,
  options: TcOptions = {},
): Link {
  const index = interfaceIndex(interfaceName);
  const { priority = 1, handle = 1 } = options;
  const description = `tc ${direction} of interface ${interfaceName}`;
  const refuse = (errno: number, doing: string, words: string | undefined) =>
    new SystemError({
      errno,
      syscall: "rtnetlink",
      doing,
      hint:
        words ??
        (errno === EEXIST
          ? `A filter of priority ${priority} and handle ${handle} is there: choose others.`
          : undefined),
      needs: ["CAP_BPF", "CAP_NET_ADMIN"],
    });
  let words: string | undefined;
  const explain = (text: string) => {
    words = `The kernel says: ${text}`;
  };
  const qdisc = routeRequest(
    {
      type: RTM_NEWQDISC,
      flags: CREATE | EXCLUSIVE,
      body: message(index, 0xffff_0000, CLSACT, 0),
      attributes: [{ type: TCA_KIND, value: netlinkText("clsact") }],
    },
    explain,
  );
  if (qdisc < 0 && qdisc !== -EEXIST) throw refuse(-qdisc, `give interface ${interfaceName} a clsact qdisc`, words);
  words = undefined;
  // Priority and protocol share a word; the protocol is in the network's byte order.
  const info = ((priority << 16) | (ETH_P_ALL << 8)) >>> 0;
  const kind = { type: TCA_KIND, value: netlinkText("bpf") };
  const added = routeRequest(
    {
      type: RTM_NEWTFILTER,
      flags: CREATE | EXCLUSIVE,
      body: message(index, handle, PARENT[direction], info),
      attributes: [
        kind,
        {
          type: TCA_OPTIONS,
          value: [
            { type: TCA_BPF_FD, value: netlinkU32(program.fd.number) },
            { type: TCA_BPF_NAME, value: netlinkText(program.name) },
            { type: TCA_BPF_FLAGS, value: netlinkU32(DIRECT_ACTION) },
          ],
        },
      ],
    },
    explain,
  );
  if (added < 0) throw refuse(-added, `attach program "${program.name}" to ${description}`, words);
  const undo = () => {
    routeRequest({ type: RTM_DELTFILTER, body: message(index, handle, PARENT[direction], info), attributes: [kind] });
  };
  return new Link(description, { undo });
}

/** `struct tcmsg`. */
function message(index: number, handle: number, parent: number, info: number): Uint8Array {
  const body = new Uint8Array(20);
  const view = new DataView(body.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, handle, true);
  view.setUint32(12, parent, true);
  view.setUint32(16, info, true);
  return body;
}
