import type { BpfAttr, Fd } from "../sys/index.ts";
import { Link } from "./link.ts";

/** What another program is placed beside: a link or program at hand, or the id of one (`queryPrograms`). */
export type Anchor = Link | { readonly fd: Fd } | { readonly linkId: number } | { readonly programId: number };

/**
 * Where among the programs of one place a program runs: at most one of `before`, `after`, `position`. Behind all others when
 * nothing is said. tcx from Linux 6.6, netkit from 6.7, cgroups from 6.17 on.
 */
export interface AnchorOptions {
  readonly before?: Anchor;
  readonly after?: Anchor;
  readonly position?: "first" | "last";
  /** Only when nothing has changed since `queryPrograms` gave this revision: ESTALE otherwise, and nothing is attached. */
  readonly expectedRevision?: bigint;
}

/** BPF_F_… of linux/bpf.h */
const BEFORE = 1 << 3;
const AFTER = 1 << 4;
const ID = 1 << 5;
const LINK = 1 << 13;

/** What the kernel is told of the place, and sentences for its refusals. */
export interface Placement {
  /** Whether anything was asked for. */
  readonly given: boolean;
  readonly flags: number;
  /** What the other one is; undefined for none. */
  readonly beside: "link" | "program" | undefined;
  /** Fills in the structure that BPF_LINK_CREATE has for the kind, or BPF_PROG_ATTACH. */
  readonly fill: (attr: BpfAttr, command?: "BPF_LINK_CREATE" | "BPF_PROG_ATTACH") => void;
  readonly hints: Readonly<Record<number, string>>;
}

/** Throws TypeError for an anchor without a BPF link, or more than one place. */
export function placementOf(options: AnchorOptions): Placement {
  const { before, after, position, expectedRevision } = options;
  if ([before, after, position].filter((place) => place !== undefined).length > 1)
    throw new TypeError("Give one place: before something, after something, or a position.");
  const anchor = before ?? after;
  const { number, flags } = anchor === undefined ? { number: 0, flags: 0 } : referTo(anchor);
  const side =
    before !== undefined || position === "first" ? BEFORE : after !== undefined || position === "last" ? AFTER : 0;
  return {
    given: side !== 0 || expectedRevision !== undefined,
    flags: side | flags,
    beside: anchor === undefined ? undefined : (flags & LINK) !== 0 ? "link" : "program",
    fill: (attr, command = "BPF_LINK_CREATE") => {
      // relative_fd or relative_id, and expected_revision.
      if (number !== 0) attr.u32(command === "BPF_LINK_CREATE" ? 16 : 20, number);
      if (expectedRevision !== undefined) attr.u64(24, expectedRevision);
    },
    hints: {
      2: "What it was to be placed beside is not attached there (ENOENT).",
      116: "What is attached there has changed since that revision (ESTALE): ask again with queryPrograms.",
    },
  };
}

function referTo(anchor: Anchor): { readonly number: number; readonly flags: number } {
  if ("linkId" in anchor) return { number: anchor.linkId, flags: ID | LINK };
  if ("programId" in anchor) return { number: anchor.programId, flags: ID };
  if (!(anchor instanceof Link)) return { number: anchor.fd.number, flags: 0 };
  if (anchor.fd === undefined)
    throw new TypeError(`Nothing can be placed beside ${anchor.description}: the kernel keeps no BPF link for it.`);
  return { number: anchor.fd.number, flags: LINK };
}
