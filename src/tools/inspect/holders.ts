import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** A process that has a descriptor of something. */
export interface HoldingProcess {
  readonly pid: number;
  /** Its name, as the kernel keeps it. */
  readonly command: string;
}

/** Who holds which map, program and link, by its id. */
export interface Holders {
  readonly maps: ReadonlyMap<number, readonly HoldingProcess[]>;
  readonly programs: ReadonlyMap<number, readonly HoldingProcess[]>;
  readonly links: ReadonlyMap<number, readonly HoldingProcess[]>;
}

const KINDS = [
  { suffix: "bpf-map", field: /^map_id:\s*(\d+)/m, kind: "maps" },
  { suffix: "bpf-prog", field: /^prog_id:\s*(\d+)/m, kind: "programs" },
  { suffix: "bpf-link", field: /^link_id:\s*(\d+)/m, kind: "links" },
] as const;

/**
 * Looks through the open files of all processes, once, for descriptors of bpf(2). Of a process only those files are read
 * that are such descriptors. What this user may not look into is left out.
 */
export function findHolders(): Holders {
  const found = {
    maps: new Map<number, HoldingProcess[]>(),
    programs: new Map<number, HoldingProcess[]>(),
    links: new Map<number, HoldingProcess[]>(),
  };
  for (const entry of names("/proc")) {
    const pid = Number(entry);
    // What looks is not what is looked for.
    if (!/^\d+$/.test(entry) || pid === process.pid) continue;
    let command: string | undefined;
    const seen = new Set<string>();
    for (const fd of names(`/proc/${pid}/fd`)) {
      const target = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`));
      if (target === undefined || !target.startsWith("anon_inode:")) continue;
      // Some kernels write `[bpf-map]`, some bpf_link.
      const plain = target.slice("anon_inode:".length).replace(/[[\]]/g, "").replace("_", "-");
      const kind = KINDS.find(({ suffix }) => suffix === plain);
      if (kind === undefined) continue;
      const id = Number(kind.field.exec(attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, "latin1")) ?? "")?.[1]);
      if (Number.isNaN(id) || seen.has(`${kind.kind} ${id}`)) continue;
      seen.add(`${kind.kind} ${id}`);
      command ??= attempt(() => readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd()) ?? "";
      const holder = { pid, command };
      const list = found[kind.kind].get(id);
      if (list === undefined) found[kind.kind].set(id, [holder]);
      else list.push(holder);
    }
  }
  return found;
}

/** The names in a folder of /proc; none for a process that is gone or that may not be looked at. */
function names(folder: string): readonly string[] {
  return attempt(() => readdirSync(folder)) ?? [];
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** `node(123), systemd(1)`. */
export function holderText(holders: readonly HoldingProcess[]): string {
  return holders.map(({ pid, command }) => `${command}(${pid})`).join(", ");
}
