import { readSync } from "node:fs";
import type { BpfMap } from "../map/index.ts";
import { BpfAttr, Fd, SystemError } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { Link } from "./link.ts";

export interface IteratorOptions {
  /** For iterators over a map's elements. */
  readonly map?: BpfMap;
  /** For iterators over tasks: one thread, or all threads of one process (Linux 6.1). */
  readonly task?: { readonly tid: number } | { readonly pid: number };
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
 * like. Needs CAP_BPF and CAP_PERFMON. The caller closes the link.
 */
export function attachIterator(program: Attachable, options: IteratorOptions = {}): IteratorLink {
  const description = `iterator of program "${program.name}"`;
  // union bpf_iter_link_info: for maps the descriptor; for tasks tid, pid, pid_fd.
  const info = new Uint32Array(4);
  const { map, task } = options;
  if (map !== undefined) info[0] = map.fd.number;
  if (task !== undefined) {
    if ("tid" in task) info[0] = task.tid;
    else info[1] = task.pid;
  }
  const hasInfo = map !== undefined || task !== undefined;
  const link = createLink(program, {
    description,
    attachType: "trace_iter",
    ...(hasInfo && { fill: (attr) => void attr.pointer(16, new Uint8Array(info.buffer)).u32(24, info.byteLength) }),
    hints: {
      22: "The iterator takes no such options, or the kernel is older than they are.",
      7: "This kernel's iterators take fewer options.",
    },
  });
  return new IteratorLink(description, link);
}
