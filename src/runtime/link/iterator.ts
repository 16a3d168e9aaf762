import { openSync, readSync } from "node:fs";
import type { BpfMap } from "../map/index.ts";
import { BpfAttr, Fd, SystemError } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { Link } from "./link.ts";

/** In which order an iterator walks through cgroups (enum bpf_cgroup_iter_order). */
const ORDERS = { self: 1, descendants: 2, "descendants-first": 3, ancestors: 4, children: 5 } as const;

/** What `attachIterator` is to go over; all there is when left out. */
export interface IteratorOptions {
  /** For iterators over a map's elements: `bpf_map_elem`, `bpf_sk_storage_map`, `sockmap`. */
  readonly map?: BpfMap;
  /**
   * For iterators over tasks, their files or memory (`task`, `task_file`, `task_vma`): one thread, or all threads of one process, by its
   * number or by a descriptor that stays the same process's (Linux 6.1).
   */
  readonly task?: { readonly tid: number } | { readonly pid: number } | { readonly pidFd: Fd };
  /** For iterators over cgroups (Linux 6.1). */
  readonly cgroup?: {
    /** Where it begins: a folder of a cgroup file system, or the number that `bpf_get_current_cgroup_id` gives; the root when left out. */
    readonly at?: string | bigint;
    /**
     * This one only, all below it (it first, or they first), all above it; or those right below it without it (Linux 7.0). All
     * below it, it first, when left out.
     */
    readonly order?: keyof typeof ORDERS;
  };
}

/** An iterator's link: each reading walks through what it iterates over, from the beginning. */
export class IteratorLink extends Link {
  readonly #link: Fd;

  constructor(description: string, link: Fd) {
    super(description, { link });
    this.#link = link;
  }

  /** Runs it once; what the program wrote (`bpf_seq_write`, `bpf_seq_printf`). Throws SystemError. */
  read(): Uint8Array {
    const result = new BpfAttr().u32(0, this.#link.number).call("BPF_ITER_CREATE");
    if (result < 0) {
      const doing = `read ${this.description}`;
      throw new SystemError({ errno: -result, syscall: "bpf(BPF_ITER_CREATE)", doing, needs: ["CAP_BPF"] });
    }
    using fd = new Fd(result, this.description);
    const parts: Uint8Array[] = [];
    const chunk = new Uint8Array(64 * 1024);
    for (let count = readSync(fd.number, chunk); count > 0; count = readSync(fd.number, chunk)) {
      parts.push(chunk.slice(0, count));
    }
    return Buffer.concat(parts);
  }

  /** `read()` as text. */
  text(): string {
    return Buffer.from(this.read()).toString("utf8");
  }
}

/**
 * Attaches a program of type `tracing` and attach type `trace_iter` (Linux 5.8), loaded with `attachTo: "task"` or the
 * like. Needs CAP_BPF and CAP_PERFMON. Throws SystemError, and Node's own error for a cgroup that is not there. The caller closes
 * the link.
 */
export function attachIterator(program: Attachable, options: IteratorOptions = {}): IteratorLink {
  const description = `iterator of program "${program.name}"`;
  const { map, task, cgroup } = options;
  if ([map, task, cgroup].filter((one) => one !== undefined).length > 1)
    throw new TypeError(
      "An iterator is over a map's elements, over tasks or over cgroups: give one of map, task, cgroup.",
    );
  // Open until the link is made: the kernel then holds what it is.
  using folder = typeof cgroup?.at === "string" ? new Fd(openSync(cgroup.at, "r"), `cgroup ${cgroup.at}`) : undefined;
  const info = linkInfo(options, folder);
  const link = createLink(program, {
    description,
    attachType: "trace_iter",
    ...(info !== undefined && { fill: (attr) => void attr.pointer(16, info).u32(24, info.length) }),
    hints: {
      22: "The iterator takes no such options, or the kernel is older than they are.",
      7: "This kernel's iterators take fewer options: those for tasks and cgroups need Linux 6.1.",
      9: "The map is of another kind than the iterator walks through, the folder is no cgroup, or the descriptor no process's.",
    },
  });
  return new IteratorLink(description, link);
}

/** union bpf_iter_link_info: a map's descriptor; order, descriptor and id of a cgroup; tid, pid and descriptor of a task. */
function linkInfo({ map, task, cgroup }: IteratorOptions, folder: Fd | undefined): Uint8Array | undefined {
  const info = new Uint8Array(16);
  const view = new DataView(info.buffer);
  if (map !== undefined) view.setUint32(0, map.fd.number, true);
  else if (task !== undefined) {
    if ("tid" in task) view.setUint32(0, task.tid, true);
    else if ("pid" in task) view.setUint32(4, task.pid, true);
    else view.setUint32(8, task.pidFd.number, true);
  } else if (cgroup !== undefined) {
    view.setUint32(0, ORDERS[cgroup.order ?? "descendants"], true);
    if (folder !== undefined) view.setUint32(4, folder.number, true);
    else view.setBigUint64(8, BigInt(cgroup.at ?? 0n), true);
  } else return undefined;
  return info;
}
