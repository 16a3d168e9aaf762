import { readdirSync, readFileSync, statSync } from "node:fs";
import { interfaceNameOf, type Link, type LinkDetails, linkIds, openLink, openPinnedLink } from "../../sdk/index.ts";
import type { Holders, HoldingProcess } from "./holders.ts";
import { targetOfProgram } from "./program-target.ts";
import type { Openable } from "./select.ts";

/** A link as `skep link list` has it. */
export interface LinkReport {
  readonly details: LinkDetails;
  /** What it is attached to, in words. */
  readonly target: string;
  readonly holders: readonly HoldingProcess[];
}

/** Links have no names. */
export const LINKS: Openable<Link> = {
  what: "link",
  ids: linkIds,
  open: openLink,
  openPinned: openPinnedLink,
  idOf: (link) => link.details().id,
  matches: () => false,
};

export function reportLink(link: Link, holders: Holders, names: TargetNames): LinkReport {
  const details = link.details();
  return { details, target: names.of(details), holders: holders.links.get(details.id) ?? [] };
}

/** Says in words what links are attached to; remembers what it has looked up. */
export class TargetNames {
  #cgroups: ReadonlyMap<bigint, string> | undefined;

  /** What a link is attached to, for people: `raw tracepoint sched_switch`, `XDP of eth0`. */
  of(details: LinkDetails): string {
    switch (details.type) {
      case "raw_tracepoint":
        return `raw tracepoint ${details.tracepoint}`;
      case "tracing":
        return `${details.attachType} of ${targetOfProgram(details.programId) ?? `type ${details.targetTypeId} of ${details.targetObjectId}`}`;
      case "tracing_multi":
        return `${details.attachType} of ${details.count} functions`;
      case "cgroup":
        return `${details.attachType} of cgroup ${this.#cgroup(details.cgroupId)}`;
      case "iter":
        return `iterator over ${details.targetName}${details.mapId === undefined ? "" : ` of map ${details.mapId}`}`;
      case "netns":
        return `${details.attachType} of network namespace ${details.inode}`;
      case "xdp":
        return `XDP of ${interfaceOf(details.interfaceIndex)}`;
      case "tcx":
      case "netkit":
        return `${details.attachType} of ${interfaceOf(details.interfaceIndex)}`;
      case "struct_ops":
        return `table of functions in map ${details.mapId}`;
      case "sockmap":
        return `${details.attachType} of map ${details.mapId}`;
      case "netfilter":
        return `netfilter ${details.family} ${details.hook}, priority ${details.priority}`;
      case "kprobe_multi":
        return `${details.count} ${details.isReturn ? "kretprobes" : "kprobes"}`;
      case "uprobe_multi":
        return `${details.count} ${details.isReturn ? "uretprobes" : "uprobes"} in ${details.path}${details.pid === undefined ? "" : ` of process ${details.pid}`}`;
      case "perf_event":
        return perfEvent(details.event);
      default:
        return `a kind of link that is newer than this version of Skep (${details.number})`;
    }
  }

  #cgroup(id: bigint): string {
    this.#cgroups ??= cgroupPaths();
    return this.#cgroups.get(id) ?? (id === 0n ? "that is gone" : String(id));
  }
}

/** Folders of the cgroup hierarchy by their ids. */
function cgroupPaths(): ReadonlyMap<bigint, string> {
  const found = new Map<bigint, string>();
  const add = (path: string) => {
    try {
      found.set(statSync(path, { bigint: true }).ino, path);
      for (const entry of readdirSync(path, { withFileTypes: true }))
        if (entry.isDirectory()) add(`${path}/${entry.name}`);
    } catch {
      // Gone meanwhile, or not ours to read.
    }
  };
  try {
    const mount = /^\S+ (\S+) cgroup2 /m.exec(readFileSync("/proc/self/mounts", "latin1"))?.[1];
    if (mount !== undefined) add(mount);
  } catch {
    // No /proc: ids instead of paths.
  }
  return found;
}

function interfaceOf(index: number): string {
  if (index === 0) return "an interface that is gone";
  // Of another network namespace it has no name here.
  return `interface ${interfaceNameOf(index) ?? index}`;
}

function perfEvent(event: Extract<LinkDetails, { type: "perf_event" }>["event"]): string {
  // Kernels before 6.6 do not tell more.
  if (event === undefined) return "a perf event";
  switch (event.kind) {
    case "tracepoint":
      return `tracepoint ${event.tracepoint}`;
    case "event":
      return `perf event of type ${event.eventType}, config ${event.config}`;
    case "kprobe":
    case "kretprobe":
      return `${event.kind} ${event.function}${event.offset === 0 ? "" : `+0x${event.offset.toString(16)}`}`;
    default:
      return `${event.kind} ${event.path}+0x${event.offset.toString(16)}`;
  }
}
