import { unlinkSync } from "node:fs";
import type { Btf } from "../../object/btf/index.ts";
import { layoutOf } from "../../object/codec/index.ts";
import type { MapSpec, ObjectSpec } from "../../object/spec/index.ts";
import { ArenaMap, type BpfMap, cpuNumbers, createMap } from "../map/index.ts";
import { type CapabilityName, type Fd, pageSize } from "../sys/index.ts";
import { kconfigContents, kernelFacts } from "./kconfig.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";
import { own } from "./own.ts";
import { openOrPin, pinPathOf } from "./pinned-map.ts";
import { createStructOps } from "./struct-ops.ts";

/** Where maps that are pinned by name stand when the caller does not say. */
const PIN_FOLDER = "/sys/fs/bpf";

export interface ObjectMapsOptions {
  /** Live maps to use instead of creating the spec's; they stay their owner's. */
  readonly maps?: Readonly<Record<string, BpfMap>>;
  readonly pinPath?: string | false;
  readonly token?: Fd;
}

/** The maps of an object while it is loaded: made one after the other, and given up together. */
export class ObjectMaps {
  /** Without a prototype: a map may be called anything. */
  readonly live: Record<string, BpfMap> = Object.create(null);
  readonly #givenByName: Readonly<Record<string, BpfMap>>;
  /** Those that belong to somebody else. */
  readonly #given: Set<BpfMap>;
  /** Pins that were made by this load. */
  readonly #pins: string[] = [];
  readonly #found = new Set<string>();

  constructor(given: Readonly<Record<string, BpfMap>> = {}) {
    this.#givenByName = given;
    this.#given = new Set(Object.values(given));
  }

  /** Makes and fills all maps. Throws SystemError, MapMismatchError, ObjectError; what was made until then is in `live`. */
  create(
    spec: ObjectSpec,
    kernel: KernelTypes,
    types: Fd | undefined,
    needs: readonly CapabilityName[] | undefined,
    { pinPath = PIN_FOLDER, token }: ObjectMapsOptions,
  ): void {
    for (const [name, map] of Object.entries(spec.maps)) {
      const given = own(this.#givenByName, name);
      if (given !== undefined) {
        this.live[name] = given;
        continue;
      }
      if (map.type === "struct_ops") {
        this.live[name] = createStructOps(name, map, spec, kernel, { types, needs, token });
        continue;
      }
      const full = typedMap(map, spec.btf);
      const make = () => createMap(full, map.name ?? name, needs, types, token) as BpfMap;
      if (map.pinning !== "by-name" || pinPath === false) this.live[name] = make();
      else {
        const path = pinPathOf(pinPath, map.pinName ?? name);
        const { live, isNew } = openOrPin(name, full, path, make);
        this.live[name] = live;
        // What a map that was there already holds is its own.
        if (!isNew) {
          this.#found.add(name);
          continue;
        }
        this.#pins.push(path);
      }
      const live = this.live[name];
      fill(name, live, contentsOf(name, map, spec, kernel));
      if (map.frozen === true) live.freeze();
    }
  }

  /**
   * Whether the slots of a map are this load's to fill. Those of the caller's maps are the caller's, and what a pinned map
   * of maps holds is in use; a pinned array of programs gets the new ones, which is what it is pinned for.
   */
  fillsSlots(name: string): boolean {
    if (Object.hasOwn(this.#givenByName, name)) return false;
    return !this.#found.has(name) || this.live[name]?.info.type === "prog_array";
  }

  /** Closes those that were made here. */
  close(): void {
    for (const map of Object.values(this.live)) if (!this.#given.has(map)) map.close();
  }

  /** Makes this the owner of maps that it was given and that `other` has made. */
  adopt(other: ObjectMaps, maps: ReadonlySet<BpfMap>): void {
    for (const map of maps) {
      if (other.#given.has(map)) continue;
      this.#given.delete(map);
      other.#given.add(map);
    }
  }

  /** Closes them, and takes back the pins that this load made. */
  giveUp(): void {
    this.close();
    for (const path of this.#pins.splice(0)) {
      try {
        unlinkSync(path);
      } catch {
        // Somebody was faster. Why the load failed is the error to be told.
      }
    }
  }
}

/** What objects leave to the loader: an array of perf events has one for each possible CPU, a ring whole pages. */
function entriesOf({ type, maxEntries }: MapSpec): number {
  if (type === "perf_event_array" && maxEntries === 0) return cpuNumbers();
  if ((type !== "ringbuf" && type !== "user_ringbuf") || maxEntries === 0) return maxEntries;
  const size = pageSize();
  if (maxEntries % size === 0 && Math.log2(maxEntries / size) % 1 === 0) return maxEntries;
  const pages = 2 ** Math.ceil(Math.log2(maxEntries / size));
  return Math.max(1, pages) * size;
}

/** The map with layouts of its keys and values, where the object's types tell them and the spec does not. */
export function typedMap(map: MapSpec, btf: Btf | undefined): MapSpec {
  const maxEntries = entriesOf(map);
  const inner = map.inner === undefined ? undefined : typedMap(map.inner, btf);
  if (btf === undefined) return { ...map, maxEntries, ...(inner !== undefined && { inner }) };
  const layout = (id: number | undefined, size: number | undefined) => {
    const found = id === undefined ? undefined : layoutOf(btf, id);
    return found?.size === size ? found : undefined;
  };
  // Values of a section's map are read variable by variable, not as one struct.
  const value = map.section === undefined ? (map.value ?? layout(map.valueType, map.valueSize)) : map.value;
  const key = map.key ?? layout(map.keyType, map.keySize);
  return {
    ...map,
    maxEntries,
    ...(key !== undefined && { key }),
    ...(value !== undefined && { value }),
    ...(inner !== undefined && { inner }),
  };
}

function contentsOf(name: string, map: MapSpec, spec: ObjectSpec, kernel: KernelTypes): Uint8Array | undefined {
  if (name !== ".kconfig") return map.contents;
  return kconfigContents(spec, map.valueSize ?? map.contents?.length ?? 0, kernelFacts(kernel));
}

/** The value that a map of one entry has from the start, or the globals of an arena. */
function fill(name: string, map: BpfMap, contents: Uint8Array | undefined): void {
  if (map instanceof ArenaMap) {
    // Even without globals: the verifier asks where the arena is in user memory.
    const { memory, size } = map;
    if (contents !== undefined && contents.length > size)
      throw new ObjectError(`The globals of arena "${name}" are ${contents.length} bytes, and it has ${size}.`);
    if (contents !== undefined) memory.u8.set(contents);
    return;
  }
  if (contents === undefined || map.info.type !== "array") return;
  if (contents.length !== map.info.valueSize)
    throw new ObjectError(
      `The contents of map "${name}" are ${contents.length} bytes, and its value is ${map.info.valueSize}.`,
    );
  // The kernel's memory is zero already: what .bss is.
  if (contents.some((byte) => byte !== 0)) map.setRaw(new Uint8Array(4), contents);
}
