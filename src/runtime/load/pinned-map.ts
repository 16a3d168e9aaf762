import { dirname, join, resolve } from "node:path";
import type { MapSpec } from "../../object/spec/index.ts";
import { type BpfMap, MapMismatchError, mapDetails, openPinnedMap, specInfo } from "../map/index.ts";
import { isBpffs, SystemError } from "../sys/index.ts";
import { ObjectError } from "./object-error.ts";

const ENOENT = 2;
const EEXIST = 17;
/** Set by the kernel itself on maps of devices (BPF_F_RDONLY_PROG). */
const KERNEL_SET = 1 << 7;

/** Where a map is pinned under its name; a bpffs takes no dots in names. */
export function pinPathOf(folder: string, name: string): string {
  return join(folder, name.replaceAll(".", "_"));
}

/**
 * The map that is pinned at a path, or a new one that `make` makes, pinned there. Of two processes that come at once one
 * pins its map and the other takes it. Throws MapMismatchError when what is pinned is another kind of map, ObjectError where
 * nothing can be pinned, SystemError.
 */
export function openOrPin(
  name: string,
  spec: MapSpec,
  path: string,
  make: () => BpfMap,
): { readonly live: BpfMap; readonly isNew: boolean } {
  const there = openIfThere(path, spec);
  if (there !== undefined) return { live: compatible(name, there, spec, path), isNew: false };
  checkFolder(name, path);
  const live = make();
  try {
    live.pin(path);
    return { live, isNew: true };
  } catch (error) {
    live.close();
    if (!(error instanceof SystemError) || error.errno !== EEXIST) throw error;
    const other = openIfThere(path, spec);
    if (other === undefined) throw error;
    return { live: compatible(name, other, spec, path), isNew: false };
  }
}

function openIfThere(path: string, spec: MapSpec): BpfMap | undefined {
  try {
    // Its kind is compared below: the spec's layouts may not suit what is there.
    return openPinnedMap(path, { type: spec.type }) as BpfMap;
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

/** The map that is there, with the spec's layouts. Closes it and throws MapMismatchError where it is of another kind. */
function compatible(name: string, there: BpfMap, spec: MapSpec, path: string): BpfMap {
  using map = there;
  const differences = differencesOf(map, spec, name);
  if (differences.length > 0) throw new MapMismatchError(name, `pinned at ${path}`, differences);
  return openPinnedMap(path, spec) as BpfMap;
}

/** In what a live map is not what the spec says, in words. */
export function differencesOf(map: BpfMap, spec: MapSpec, name: string): readonly string[] {
  const has = mapDetails(map);
  const wants = specInfo(spec, name);
  const numa = spec.numaNode === undefined ? 0 : 1 << 2;
  const pairs: readonly (readonly [what: string, has: string | number | bigint, wants: string | number | bigint])[] = [
    ["type", has.type, wants.type],
    ["keys of", has.keySize, wants.keySize],
    ["values of", has.valueSize, wants.valueSize],
    ["entries", has.maxEntries, wants.maxEntries],
    ["flags", `0x${(has.flags & ~KERNEL_SET).toString(16)}`, `0x${((wants.flags | numa) & ~KERNEL_SET).toString(16)}`],
    ["map_extra", has.extra, spec.extra ?? 0n],
  ];
  return pairs
    .filter(([, a, b]) => a !== b)
    .map(([what, a, b]) => `${what} ${a}${what.endsWith(" of") ? " bytes" : ""}, not ${b}`);
}

/** Throws ObjectError when the folder is in no bpffs: the kernel would only say EPERM. */
function checkFolder(name: string, path: string): void {
  const folder = dirname(path);
  // What is wrong with one that cannot be looked at the kernel tells.
  if (isBpffs(folder) !== false) return;
  throw new ObjectError(
    `Map "${name}" is pinned by its name, and ${resolve(folder)} is in no bpffs: mount one (mount -t bpf bpf /sys/fs/bpf), give another folder with the option pinPath, or pinPath: false to keep the map to this process.`,
  );
}
