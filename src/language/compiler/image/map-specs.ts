import { MapFlag, type MapSpec, type MapTypeName } from "../../../object/spec/index.ts";
import type { MapDecl } from "../hir.ts";
import { greatestOf, I32, type IntType, leastOf, sizeOf, U32 } from "../type.ts";
import { layoutOfType } from "./layouts.ts";
import type { ProgramTypes } from "./program-types.ts";

const TYPE: Readonly<Record<MapDecl["kind"], MapTypeName>> = {
  hash: "hash",
  lruHash: "lru_hash",
  perCpuHash: "percpu_hash",
  lruPerCpuHash: "lru_percpu_hash",
  array: "array",
  perCpuArray: "percpu_array",
  ringbuf: "ringbuf",
  stackTrace: "stack_trace",
  taskStorage: "task_storage",
  progArray: "prog_array",
  cgroupArray: "cgroup_array",
};

/** Frames that a stack trace keeps at most (PERF_MAX_STACK_DEPTH). */
const STACK_DEPTH = 127;
/** Longest name that the kernel keeps. */
const NAME = 15;

/** A name as the kernel keeps it. */
export function kernelName(name: string): string {
  return name.replace(/[^A-Za-z0-9_.]/g, "_").slice(0, NAME);
}

/** A map of the source as one that can be made. */
export function mapSpec(map: MapDecl, types: ProgramTypes): MapSpec {
  const base = {
    type: TYPE[map.kind],
    name: kernelName(map.name),
    maxEntries: map.maxEntries,
    ...(map.pinned !== undefined && { pinning: "by-name" as const, pinName: map.pinned }),
  };
  const value = map.value === undefined ? undefined : layoutOfType(map.value);
  switch (map.kind) {
    case "ringbuf":
      // The layout is the records': the map itself has no values.
      return { ...base, keySize: 0, valueSize: 0, ...(value !== undefined && { value }) };
    case "progArray":
      return {
        ...base,
        keySize: 4,
        valueSize: 4,
        slots: Object.fromEntries((map.programs ?? []).map((name, index) => [index, name])),
      };
    case "cgroupArray":
      return { ...base, keySize: 4, valueSize: 4 };
    case "stackTrace":
      return { ...base, keySize: 4, valueSize: 8 * STACK_DEPTH };
    default: {
      if (map.value === undefined || value === undefined) throw new Error(`map ${map.name} has no values`);
      const isStorage = map.kind === "taskStorage";
      const isArray = map.kind === "array" || map.kind === "perCpuArray";
      const key = isStorage ? I32 : isArray ? U32 : (map.key ?? U32);
      const contents = firstContents(map);
      return {
        ...base,
        maxEntries: isStorage ? 0 : map.maxEntries,
        keySize: sizeOf(key),
        valueSize: sizeOf(map.value),
        key: layoutOfType(key),
        value,
        keyType: types.of(key),
        valueType: types.of(map.value),
        ...(isStorage && { flags: MapFlag.no_prealloc }),
        ...(contents !== undefined && { contents }),
      };
    }
  }
}

/** What an extreme without a key is before anything was recorded: what anything is better than. */
function firstContents({ kind, aggregate, value }: MapDecl): Uint8Array | undefined {
  if (kind !== "array" || value?.kind !== "int" || (aggregate?.kind !== "min" && aggregate?.kind !== "max"))
    return undefined;
  return bytesOf(firstExtreme(aggregate.kind, value), value);
}

/** The value that an extreme without a key begins with, and keeps as long as nothing is recorded. */
export function firstExtreme(kind: "min" | "max", type: IntType): bigint {
  return kind === "min" ? greatestOf(type) : leastOf(type);
}

function bytesOf(value: bigint, { bits }: IntType): Uint8Array {
  const bytes = new Uint8Array(bits / 8);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number((BigInt.asUintN(bits, value) >> BigInt(8 * i)) & 0xffn);
  return bytes;
}
