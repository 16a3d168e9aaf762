import { readFileSync, readlinkSync } from "node:fs";
import type { Fd } from "./fd.ts";

/** Kinds of descriptors of bpf(2), as the kernel names them in /proc. */
const KINDS = { map: "bpf-map", program: "bpf-prog", link: "bpf-link" } as const;

/** A descriptor, or what is pinned at a path, is of another kind than it was taken for. */
export class DescriptorKindError extends TypeError {
  readonly code = "SKEP_DESCRIPTOR_KIND";
}

/** What an anonymous descriptor is of (`bpf-map`, `bpf-prog`, `bpf-link`); undefined without /proc. */
export function descriptorKind(fd: Fd): string | undefined {
  try {
    return (
      readlinkSync(`/proc/self/fd/${fd.number}`)
        .replace("anon_inode:", "")
        // As some kernels write it.
        .replace("bpf_link", "bpf-link")
        .replace(/^\[(.*)\]$/, "$1")
    );
  } catch {
    return undefined;
  }
}

/**
 * Makes sure that a descriptor is of a kind: the kernel answers questions about all of them alike, with other structures.
 * Throws DescriptorKindError; nothing can be told without /proc.
 */
export function expectKind(fd: Fd, what: keyof typeof KINDS): void {
  const kind = descriptorKind(fd);
  if (kind !== undefined && kind !== KINDS[what])
    throw new DescriptorKindError(`There is no ${what} behind ${fd.what}: it is a ${kind}.`);
}

/** What the kernel shows of a descriptor in /proc/self/fdinfo, by its names; nothing without /proc. */
export function descriptorInfo(fd: Fd): ReadonlyMap<string, string> {
  try {
    return parseFdInfo(readFileSync(`/proc/self/fdinfo/${fd.number}`, "latin1"));
  } catch {
    return new Map();
  }
}

/** The lines of a file of /proc/PID/fdinfo. */
function parseFdInfo(text: string): ReadonlyMap<string, string> {
  return new Map(text.split("\n").map((line) => line.split(":\t", 2) as [string, string]));
}
