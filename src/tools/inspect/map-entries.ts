import {
  array,
  type BpfMap,
  bytes,
  isNumbered,
  isPerCpu,
  KeyedMap,
  type Layout,
  type MapDetails,
  mapDetails,
  mapIds,
  openMap,
  openPinnedMap,
  possibleCpus,
  ReferenceMap,
  SystemError,
  u32,
} from "../../sdk/index.ts";
import type { Holders, HoldingProcess } from "./holders.ts";
import { InspectError } from "./inspect-error.ts";
import type { TypedMap } from "./map-types.ts";
import { parseValue } from "./parse-value.ts";
import type { Openable } from "./select.ts";
import { type TypeOf, valueText } from "./value-text.ts";
import type { MapChange } from "./watch.ts";

/** A map as `skep map list` has it. */
export interface MapReport {
  readonly details: MapDetails;
  /** The ids of the programs that use it. */
  readonly programIds: readonly number[];
  readonly holders: readonly HoldingProcess[];
}

/** How maps are listed, opened and chosen (`openAll`, `openOne`). */
export const MAPS: Openable<BpfMap> = {
  what: "map",
  ids: mapIds,
  open: (id) => openMap(id),
  openPinned: (path) => openPinnedMap(path),
  idOf: (map) => mapDetails(map).id,
  matches: (map, selection) => selection.by === "name" && map.name === selection.name,
};

export function reportMap(map: BpfMap, holders: Holders, users: ReadonlyMap<number, readonly number[]>): MapReport {
  const details = mapDetails(map);
  return {
    details,
    programIds: [...users].filter(([, maps]) => maps.includes(details.id)).map(([id]) => id),
    holders: holders.maps.get(details.id) ?? [],
  };
}

/** One entry, decoded: of a per-CPU map the value is a list; of a map of programs, maps or sockets the id or cookie. */
export interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

/** All entries. Throws InspectError for a map that has none to list, SystemError. */
export function* entriesOf({ map }: TypedMap): IterableIterator<Entry> {
  if (map instanceof KeyedMap) {
    for (const [key, value] of map.entries() as IterableIterator<[unknown, unknown]>) yield { key, value };
    return;
  }
  if (map instanceof ReferenceMap) {
    for (const key of map.keys() as IterableIterator<unknown>) {
      const value = idIn(map, key);
      if (value !== undefined) yield { key, value };
    }
    return;
  }
  throw noEntries(map, "listed");
}

/** The id in a slot; undefined for an empty one, and for kinds that do not tell (perf events, cgroups). */
function idIn(map: ReferenceMap<unknown>, key: unknown): number | bigint | undefined {
  try {
    return map.idOf(key);
  } catch (error) {
    if (error instanceof SystemError && (error.code === "EOPNOTSUPP" || error.code === "ENOTSUPP")) return undefined;
    throw error;
  }
}

function noEntries({ name, info: { type } }: BpfMap, verb: string): InspectError {
  return new InspectError(
    "SKEP_MAP_KIND",
    `The entries of map "${name}" cannot be ${verb}: it is a ${type}, which has no keys to ask for.`,
  );
}

function keyed({ map }: TypedMap): KeyedMap<unknown, unknown> {
  if (map instanceof KeyedMap) return map as KeyedMap<unknown, unknown>;
  throw noEntries(map, "read or written here");
}

/** How keys and values are written by people. */
function layoutsOf({ layouts, details: { type, keySize, valueSize } }: TypedMap): {
  readonly key: Layout;
  readonly value: Layout;
} {
  return {
    key: layouts.key ?? (isNumbered(type) && keySize === 4 ? u32 : bytes(keySize)),
    value: layouts.value ?? bytes(valueSize),
  };
}

/** The value of a key as a person wrote it; undefined when it is not there. Throws InspectError, SystemError. */
export function getEntry(typed: TypedMap, text: string): Entry | undefined {
  const key = parseValue(text, layoutsOf(typed).key, "key");
  const { map } = typed;
  const value = map instanceof ReferenceMap ? idIn(map as ReferenceMap<unknown>, key) : keyed(typed).get(key);
  return value === undefined ? undefined : { key, value };
}

/** Sets a value as a person wrote it; of a per-CPU map a list in JSON, one for each possible CPU. Throws InspectError, SystemError, CodecError. */
export function setEntry(typed: TypedMap, key: string, value: string, mode: "any" | "noexist" | "exist"): void {
  const map = keyed(typed);
  const layouts = layoutsOf(typed);
  const valueLayout = isPerCpu(typed.details.type) ? array(layouts.value, possibleCpus()) : layouts.value;
  map.set(parseValue(key, layouts.key, "key"), parseValue(value, valueLayout, "value"), mode);
}

/** Removes a key as a person wrote it; false when it was not there. Throws InspectError, SystemError. */
export function deleteEntry(typed: TypedMap, key: string): boolean {
  const map = keyed(typed);
  return map.delete(parseValue(key, layoutsOf(typed).key, "key"));
}

/** The types that keys and values of a map are shown by. */
function shownBy({ types }: TypedMap): { readonly key?: TypeOf; readonly value?: TypeOf } {
  if (types === undefined) return {};
  const { btf, key, value } = types;
  return { key: { btf, id: key }, value: { btf, id: value } };
}

/** What changed of an entry, as `+`, `~` or `-`; of a value that is not per CPU also what it was. */
export function changeText(typed: TypedMap, { what, key, value, before }: MapChange): string {
  const { value: type } = shownBy(typed);
  const isPlain = what === "changed" && !isPerCpu(typed.details.type);
  const was = isPlain ? `  was ${valueText(before, type)}` : "";
  return `${SIGNS[what]} ${entryText(typed, { key, value })}${was}`;
}

const SIGNS = { added: "+", changed: "~", removed: "-" } as const;

/** An entry in one line, or one and a line for each CPU. */
export function entryText(typed: TypedMap, { key, value }: Entry): string {
  const types = shownBy(typed);
  const keyText = valueText(key, types.key);
  if (!isPerCpu(typed.details.type)) return `${keyText}: ${valueText(value, types.value)}`;
  const lines = (value as readonly unknown[]).map((one, cpu) => `  CPU ${cpu}: ${valueText(one, types.value)}`);
  return `${keyText}:\n${lines.join("\n")}`;
}
