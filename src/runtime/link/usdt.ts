import { parseUsdtArguments, readUsdtPlaces, UsdtArgumentError, type UsdtPlace } from "../../object/elf/index.ts";
import { UsdtError } from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";
import type { Fd } from "../sys/index.ts";
import { type Attachable, tryCreateLink } from "./create-link.ts";
import { withElfFile } from "./elf-file.ts";
import { findBinary } from "./find-binary.ts";
import { Link } from "./link.ts";
import { addressesInProcess } from "./process-maps.ts";
import { attachUprobe, attachUprobeMulti } from "./uprobe.ts";
import { UsdtTable } from "./usdt-table.ts";

/** A probe of a program or library. */
export interface UsdtProbe {
  readonly provider: string;
  readonly name: string;
  /** Where it is in the code, and where its arguments are there: as often as the compiler copied the code around it. */
  readonly places: readonly UsdtPlace[];
}

/** Which USDT probe `attachUsdt` attaches to. */
export interface UsdtOptions {
  /** The program or library, as for uprobes: a path, or a bare name (`libc`), with `pid` in the process's container. */
  readonly path: string;
  /** Who named the probe, e.g. `libc`, `postgresql`. */
  readonly provider: string;
  readonly name: string;
  /** Only in this process; in all that run the file when left out. */
  readonly pid?: number;
  /** What `bpf_usdt_cookie` gives in the program; of an object without tables `bpf_get_attach_cookie` (Linux 5.15). */
  readonly cookie?: bigint;
}

/**
 * Attaches a program of type `kprobe` (`SEC("usdt")`) to a probe that is written into a program or library (`DTRACE_PROBE`,
 * `STAP_PROBE`), at all its places. `object` is what the program was loaded with: its tables (`bpf/usdt.bpf.h`) get
 * where the arguments are. The probe's counter (semaphore) is raised as long as the link is open (Linux 4.20).
 *
 * With one call of the kernel where it has uprobe.multi (`SEC("usdt")` is loaded for it from Linux 6.6 on), else by one uprobe
 * for each place: when one fails, those before it are undone. Before Linux 5.15 programs know their probe by its address
 * in the process: position-independent programs and libraries need `pid` there, of a process that has them loaded already.
 *
 * Throws UsdtError (there is no such probe, a table is full), UsdtArgumentError (an argument cannot be read), ElfError and
 * SystemError. Needs CAP_BPF and CAP_PERFMON. The caller closes the link, before the object's maps.
 */
export function attachUsdt(
  object: { readonly maps: Readonly<Record<string, BpfMap>> },
  program: Attachable,
  options: UsdtOptions,
): Link {
  const { provider, name, pid, cookie = 0n } = options;
  const path = findBinary(options.path, pid);
  const { tables, places: all } = withElfFile(path, readUsdtPlaces);
  const places = all.filter((place) => place.provider === provider && place.name === name);
  if (places.length === 0) throw missing({ ...options, path }, all);
  const table = UsdtTable.of(object.maps);
  const description = `USDT probe ${provider}:${name} of ${path}${pid === undefined ? "" : ` in process ${pid}`}`;
  const links: Link[] = [];
  const undos: (() => void)[] = [];
  const release = () => {
    // First the uprobes: a program that still runs finds what it needs.
    for (const link of links.splice(0)) link.close();
    for (const undo of undos.splice(0)) undo();
  };
  try {
    // Without tables the program gets the caller's cookie as it is.
    const cookies = places.map((place) => {
      if (table === undefined) return cookie;
      const id = table.take(argumentsOf(place, tables.machine), cookie);
      undos.push(() => table.release(id));
      return BigInt(id);
    });
    const at = { path, ...(pid !== undefined && { pid }) };
    if (program.spec?.expectedAttachType === "trace_uprobe_multi") {
      const offsets = places.map(({ fileOffset }) => fileOffset);
      const counterOffsets = places.map(({ semaphoreOffset }) => semaphoreOffset ?? 0);
      const { fd } = attachUprobeMulti(program, { ...at, offsets, counterOffsets, cookies });
      // One that is pinned keeps its places in the object's tables.
      const undo = () => {
        if (link.pins.paths.length === 0) release();
      };
      const link = new Link(description, { link: fd as Fd, undo });
      return link;
    }
    const hasCookies = knowsCookies(program);
    if (!hasCookies && table === undefined && options.cookie !== undefined)
      throw new UsdtError("A cookie without tables (bpf/usdt.bpf.h) needs Linux 5.15.");
    for (const [i, { address, fileOffset, semaphoreOffset }] of places.entries()) {
      const id = cookies[i] as bigint;
      if (!hasCookies && table !== undefined) {
        for (const ip of tables.movable ? addressesOf({ ...options, path }, fileOffset) : [BigInt(address)]) {
          table.takeAddress(ip, Number(id));
          undos.push(() => table.releaseAddress(ip));
        }
      }
      links.push(
        attachUprobe(program, {
          ...at,
          offset: fileOffset,
          ...(semaphoreOffset !== undefined && { counterOffset: semaphoreOffset }),
          ...(hasCookies && { cookie: id }),
        }),
      );
    }
    return new Link(description, { undo: release });
  } catch (error) {
    release();
    throw error;
  }
}

/**
 * The probes that are written into a program or library, by its path or bare name, with `pid` in that process's container.
 * Throws BinaryError, ElfError, and Node's own error for a file that cannot be read.
 */
export function usdtProbes(pathOrName: string, pid?: number): readonly UsdtProbe[] {
  const path = findBinary(pathOrName, pid);
  const probes = new Map<string, { provider: string; name: string; places: UsdtPlace[] }>();
  for (const place of withElfFile(path, readUsdtPlaces).places) {
    const { provider, name } = place;
    const probe = probes.get(`${provider}:${name}`) ?? { provider, name, places: [] };
    probe.places.push(place);
    probes.set(`${provider}:${name}`, probe);
  }
  return [...probes.values()];
}

const EBADF = 9;
const BAD_FD = 0xffff_ffff;

/** Whether the kernel gives programs at perf events cookies: by links to these, of which it is asked for one that cannot be. */
function knowsCookies(program: Attachable): boolean {
  const request = { description: "a perf event", attachType: "perf_event", target: BAD_FD } as const;
  return tryCreateLink(program, request) === -EBADF;
}

function argumentsOf({ provider, name, argumentText }: UsdtPlace, machine: number) {
  try {
    return parseUsdtArguments(argumentText, machine);
  } catch (error) {
    if (!(error instanceof UsdtArgumentError)) throw error;
    throw new UsdtArgumentError(`${provider}:${name}: ${error.message}`, { cause: error });
  }
}

/** Where the probe's place is in the process's memory. */
function addressesOf({ path, pid, provider, name }: UsdtOptions, fileOffset: number): readonly bigint[] {
  const needed = `Before Linux 5.15 a program knows its probe by the address, and ${path} is loaded anywhere:`;
  if (pid === undefined)
    throw new UsdtError(`${needed} to attach to ${provider}:${name}, name the process (pid); one link for each.`);
  const addresses = addressesInProcess(pid, path, fileOffset);
  if (addresses.length === 0) throw new UsdtError(`${needed} process ${pid} has not loaded it (/proc/${pid}/maps).`);
  return addresses;
}

/** How many probes an error names. */
const MOST_NAMED = 12;

function missing({ path, provider, name }: UsdtOptions, places: readonly UsdtPlace[]): UsdtError {
  const there = [...new Set(places.map((place) => `${place.provider}:${place.name}`))];
  const list = there.length > MOST_NAMED ? [...there.slice(0, MOST_NAMED), `${there.length - MOST_NAMED} more`] : there;
  return new UsdtError(
    there.length === 0
      ? `${path} has no probe ${provider}:${name}, and no other: it was built without them (sys/sdt.h), or its notes (.note.stapsdt) are stripped.`
      : `${path} has no probe ${provider}:${name}; it has ${list.join(", ")}.`,
  );
}
