import { openSync } from "node:fs";
import { AttachType, type AttachTypeName } from "../../object/spec/index.ts";
import { descriptorOf, type Holder } from "../map/index.ts";
import { BpfAttr, type CapabilityName, Fd, kernelSince, SystemError } from "../sys/index.ts";
import { interfaceIndex } from "./interface.ts";

const EINVAL = 22;
const ENOSPC = 28;
/** BPF_F_QUERY_EFFECTIVE */
const EFFECTIVE = 1;
/** What cgroups say of themselves: BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI. */
const CGROUP_MODES: Readonly<Record<number, "exclusive" | "override" | "multi">> = {
  0: "exclusive",
  1: "override",
  2: "multi",
};

/** A place where programs are attached. */
export type QueryTarget =
  | {
      /** A cgroup by its folder, or a descriptor of it. */
      readonly cgroup: string | number | Fd;
      readonly attachType: AttachTypeName;
      /** Also those of the cgroups above that run for this one, in the order in which they run. */
      readonly effective?: boolean;
    }
  | {
      /** A network interface, by name or index. */
      readonly interface: string | number;
      readonly attachType: "tcx_ingress" | "tcx_egress" | "netkit_primary" | "netkit_peer";
    }
  | {
      /** A network namespace by its file (`/proc/self/ns/net`), or a descriptor of it. */
      readonly netns: string | number | Fd;
      readonly attachType: "sk_lookup" | "flow_dissector";
    }
  | {
      /** A sockmap or sockhash (Linux 5.18). */
      readonly sockmap: Holder;
      readonly attachType: "sk_skb_stream_parser" | "sk_skb_stream_verdict" | "sk_skb_verdict" | "sk_msg_verdict";
    }
  /** An infrared receiver (`/dev/lirc0`), or a descriptor of it. */
  | { readonly lirc: string | number | Fd };

/** One program that is attached. */
export interface AttachedProgram {
  readonly id: number;
  /** The id of the link it is attached by; undefined when by none, or where the kernel does not tell (all but tcx and netkit). */
  readonly linkId: number | undefined;
}

/** What is attached to a place. */
export interface AttachedPrograms {
  /** In the order in which they run. */
  readonly programs: readonly AttachedProgram[];
  /** How often it has changed: given as `expectedRevision`, an attachment is refused when somebody was faster. tcx and netkit (Linux 6.6, 6.7), cgroups from Linux 6.17 on; undefined elsewhere. */
  readonly revision: bigint | undefined;
  /** For cgroups: whether more programs may be attached beside, or below. Undefined when nothing is attached. */
  readonly mode: "exclusive" | "override" | "multi" | undefined;
}

interface Place {
  readonly attachType: AttachTypeName;
  readonly number: number;
  readonly words: string;
  readonly effective: boolean;
  readonly kind: "interface" | "cgroup" | "other";
  readonly needs: readonly CapabilityName[];
}

/**
 * Which programs are attached to a cgroup, an interface (tcx, netkit), a network namespace, a sockmap or an infrared receiver
 * (BPF_PROG_QUERY, Linux 4.15). Throws SystemError; EINVAL where the kernel is older than the kind. Needs CAP_NET_ADMIN.
 */
export function queryPrograms(target: QueryTarget): AttachedPrograms {
  const [place, owned] = placeOf(target);
  try {
    return query(place);
  } finally {
    owned?.close();
  }
}

function query(place: Place): AttachedPrograms {
  // Room for more than most places have: one call is enough then.
  for (let room = 32; ; ) {
    const ids = new Uint32Array(room);
    const links = new Uint32Array(room);
    const bytes = (list: Uint32Array) => new Uint8Array(list.buffer);
    const attr = new BpfAttr()
      .u32(0, place.number)
      .u32(4, AttachType[place.attachType])
      .u32(8, place.effective ? EFFECTIVE : 0)
      .u32(12, 0)
      .pointer(16, bytes(ids))
      .u32(24, room);
    // Only those places tell of links; the others, and kernels from before, refuse to be asked.
    if (place.kind === "interface") attr.pointer(40, bytes(links));
    // Room for the revision; kernels that do not know it see no more than zeros.
    attr.u64(56, 0);
    const result = attr.call("BPF_PROG_QUERY");
    const count = attr.read32(24);
    if (result === -ENOSPC) {
      // More may come meanwhile.
      room = Math.max(count, room) * 2;
      continue;
    }
    if (result < 0)
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_PROG_QUERY)",
        doing: `ask which programs are attached to ${place.words}`,
        hint: result === -EINVAL ? hintOf(place) : result === -9 ? `${place.words} is of another kind.` : undefined,
        needs: place.needs,
      });
    const flags = attr.read32(12);
    const revision = attr.read64(56);
    return {
      programs: [...ids.subarray(0, count)].map((id, i) => ({ id, linkId: links[i] || undefined })),
      revision: revision === 0n ? undefined : revision,
      mode: place.kind === "cgroup" && count > 0 ? CGROUP_MODES[flags & 3] : undefined,
    };
  }
}

function hintOf({ attachType }: Place): string | undefined {
  if (attachType.startsWith("tcx")) return kernelSince("tcx", "6.6");
  if (attachType.startsWith("netkit")) return kernelSince("netkit", "6.7") ?? "The interface is no netkit device.";
  if (attachType.startsWith("sk_skb") || attachType.startsWith("sk_msg"))
    return kernelSince("Questions about sockmaps", "5.18");
  return "The attach type does not suit the place.";
}

/** Where it is, and what has to be closed afterwards. */
function placeOf(target: QueryTarget): readonly [Place, Fd | undefined] {
  const plain = { effective: false, kind: "other", needs: ["CAP_NET_ADMIN"] } as const;
  if ("interface" in target) {
    const { attachType } = target;
    const words = `${attachType} of interface ${target.interface}`;
    return [{ ...plain, attachType, number: interfaceIndex(target.interface), words, kind: "interface" }, undefined];
  }
  if ("sockmap" in target) {
    const { attachType, sockmap } = target;
    return [{ ...plain, attachType, number: descriptorOf(sockmap), words: `${attachType} of a sockmap` }, undefined];
  }
  const [what, held] =
    "cgroup" in target
      ? ["cgroup", target.cgroup]
      : "netns" in target
        ? ["network namespace", target.netns]
        : ["infrared receiver", target.lirc];
  const attachType = "lirc" in target ? "lirc_mode2" : target.attachType;
  const owned = typeof held === "string" ? new Fd(openSync(held, "r"), `${what} ${held}`) : undefined;
  const words = `${attachType} of ${typeof held === "string" ? `${what} ${held}` : `a ${what}`}`;
  const number = owned?.number ?? descriptorOf(held as number | Fd);
  const effective = "cgroup" in target && target.effective === true;
  const kind = "cgroup" in target ? "cgroup" : "other";
  return [{ ...plain, attachType, number, words, effective, kind }, owned];
}
