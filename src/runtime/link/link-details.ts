import type { AttachTypeName } from "../../object/spec/index.ts";
import type { FAMILIES, HOOKS } from "./netfilter-names.ts";

/** An attach type by name; its number where it is newer than this version of Skep. */
export type AttachTypeOrNumber = AttachTypeName | number;

/** What the kernel tells of every link (struct bpf_link_info, Linux 5.8). */
interface LinkBase {
  /** Its number, as long as it lives; `openLink` opens it by that. */
  readonly id: number;
  /** The id of the attached program; 0 for struct_ops, which have many. */
  readonly programId: number;
}

/** An attachment to a raw tracepoint, by name. */
export interface RawTracepointLinkDetails extends LinkBase {
  readonly type: "raw_tracepoint";
  readonly tracepoint: string;
  /** 0 for none, and before Linux 6.18. */
  readonly cookie: bigint;
}

/** fentry, fexit, fmod_ret, tp_btf, LSM and freplace attachments: to a function of the kernel or of a program. */
export interface TracingLinkDetails extends LinkBase {
  readonly type: "tracing";
  readonly attachType: AttachTypeOrNumber;
  /** The id of the BTF that the target is in or, for a target in a program, of that program (Linux 5.13; 0 before). */
  readonly targetObjectId: number;
  /** The id of the target's type in it; 0 before Linux 5.13. */
  readonly targetTypeId: number;
  /** 0 for none, and before Linux 6.18. */
  readonly cookie: bigint;
}

/** An attachment to a cgroup. */
export interface CgroupLinkDetails extends LinkBase {
  readonly type: "cgroup";
  /** The inode number of its folder; 0 when the cgroup is gone. */
  readonly cgroupId: bigint;
  readonly attachType: AttachTypeOrNumber;
}

/** An iterator, which runs each time it is read. */
export interface IteratorLinkDetails extends LinkBase {
  readonly type: "iter";
  /** What it iterates over: `task`, `bpf_map_elem` … (Linux 5.9). */
  readonly targetName: string;
  /** For iterators over a map's elements. */
  readonly mapId?: number;
  /** For iterators over cgroups: the one it begins at, and the order (enum bpf_cgroup_iter_order). */
  readonly cgroup?: { readonly id: bigint; readonly order: number };
  /** For iterators over tasks, when they are limited to one thread or one process (Linux 6.1). */
  readonly task?: { readonly tid: number; readonly pid: number };
}

/** An attachment to a network namespace: flow_dissector, sk_lookup. */
export interface NetnsLinkDetails extends LinkBase {
  readonly type: "netns";
  /** The namespace's inode number, as in `readlink /proc/PID/ns/net`; 0 when it is gone. */
  readonly inode: number;
  readonly attachType: AttachTypeOrNumber;
}

/** XDP at an interface. */
export interface XdpLinkDetails extends LinkBase {
  readonly type: "xdp";
  /** In its own network namespace; 0 when the interface is gone or the link was detached. */
  readonly interfaceIndex: number;
}

/** A table of functions (struct_ops) that the kernel uses: of the map with the id `mapId`. */
export interface StructOpsLinkDetails extends LinkBase {
  readonly type: "struct_ops";
  readonly mapId: number;
}

/** A netfilter hook (Linux 6.4). */
export interface NetfilterLinkDetails extends LinkBase {
  readonly type: "netfilter";
  /** Numbers where they are newer than this version of Skep. */
  readonly family: keyof typeof FAMILIES | number;
  readonly hook: keyof typeof HOOKS | number;
  readonly priority: number;
  readonly defragment: boolean;
}

/** Kprobes or kretprobes at many functions (Linux 5.18). */
export interface KprobeMultiLinkDetails extends LinkBase {
  readonly type: "kprobe_multi";
  /** How many functions (Linux 6.6; 0 before). */
  readonly count: number;
  readonly isReturn: boolean;
  /** Of the functions; zeros where kernel.kptr_restrict or a missing CAP_SYSLOG hides them. */
  readonly addresses: readonly bigint[];
  /** One for each function (Linux 6.9; zeros before). */
  readonly cookies: readonly bigint[];
  /** Runs that the kernel left out, as the probe was hit inside itself (Linux 6.7; 0 before). */
  readonly missed: bigint;
}

/** Uprobes or uretprobes at many places of a file (Linux 6.6). */
export interface UprobeMultiLinkDetails extends LinkBase {
  readonly type: "uprobe_multi";
  /** The file as this process sees it (Linux 6.8). */
  readonly path: string;
  readonly count: number;
  readonly isReturn: boolean;
  /** Bytes into the file. */
  readonly offsets: readonly bigint[];
  readonly cookies: readonly bigint[];
  /** Where counters of USDT probes are in the file; zeros for none. */
  readonly counterOffsets: readonly bigint[];
  /** Undefined when it is for all processes. */
  readonly pid: number | undefined;
}

/** What a perf event's link is attached to. Cookies: 0 for none, and before Linux 6.9. */
export type PerfEventDetails =
  | {
      readonly kind: "kprobe" | "kretprobe";
      readonly function: string;
      readonly offset: number;
      /** 0 where it is hidden (kernel.kptr_restrict, CAP_SYSLOG). */
      readonly address: bigint;
      /** Runs that the kernel left out (Linux 6.7; 0 before). */
      readonly missed: bigint;
      readonly cookie: bigint;
    }
  | {
      readonly kind: "uprobe" | "uretprobe";
      readonly path: string;
      readonly offset: number;
      readonly cookie: bigint;
      /** Where the counter of a USDT probe is in the file; 0 for none, and where the kernel does not tell (before 6.17). */
      readonly counterOffset: bigint;
    }
  | { readonly kind: "tracepoint"; readonly tracepoint: string; readonly cookie: bigint }
  | {
      readonly kind: "event";
      /** `type` and `config` of perf_event_open(2). */
      readonly eventType: number;
      readonly config: bigint;
      readonly cookie: bigint;
    };

/** kprobe, uprobe, tracepoint and perf event attachments (Linux 5.15). */
export interface PerfEventLinkDetails extends LinkBase {
  readonly type: "perf_event";
  /** Undefined before Linux 6.6, which does not tell. */
  readonly event: PerfEventDetails | undefined;
}

/** tcx (Linux 6.6) or netkit (6.7) at an interface. */
export interface TcLinkDetails extends LinkBase {
  readonly type: "tcx" | "netkit";
  /** In its own network namespace; 0 when the interface is gone or the link was detached. */
  readonly interfaceIndex: number;
  readonly attachType: AttachTypeOrNumber;
}

/** A program at a sockmap or sockhash (Linux 6.10). */
export interface SockmapLinkDetails extends LinkBase {
  readonly type: "sockmap";
  /** 0 when the link was detached. */
  readonly mapId: number;
  readonly attachType: AttachTypeOrNumber;
}

/** fentry, fexit or fsession at many functions (Linux 7.2). */
export interface TracingMultiLinkDetails extends LinkBase {
  readonly type: "tracing_multi";
  readonly attachType: AttachTypeOrNumber;
  /** How many functions. */
  readonly count: number;
  /** The id of the BTF that they are in. */
  readonly targetObjectId: number;
}

/** A kind of link that is newer than this version of Skep. */
export interface UnknownLinkDetails extends LinkBase {
  readonly type: "unknown";
  /** Of enum bpf_link_type. */
  readonly number: number;
}

/** What the kernel tells of a link; `type` says which. */
export type LinkDetails =
  | RawTracepointLinkDetails
  | TracingLinkDetails
  | CgroupLinkDetails
  | IteratorLinkDetails
  | NetnsLinkDetails
  | XdpLinkDetails
  | PerfEventLinkDetails
  | KprobeMultiLinkDetails
  | StructOpsLinkDetails
  | NetfilterLinkDetails
  | TcLinkDetails
  | UprobeMultiLinkDetails
  | SockmapLinkDetails
  | TracingMultiLinkDetails
  | UnknownLinkDetails;
