import { type Layout, layoutDifference } from "../../../object/codec/index.ts";
import type { MapSpec, ObjectSpec } from "../../../object/spec/index.ts";
import type { BpfMap } from "../../map/index.ts";
import { typedMap } from "../object-maps.ts";
import { differencesOf } from "../pinned-map.ts";
import { type MapShape, type ObjectShape, shapeOf, type VariableShape } from "./shape.ts";

/** What becomes of the maps when an object takes another's place. */
export interface MapPlan {
  /** Go on being used, with all that they hold. */
  readonly kept: readonly string[];
  /** Are in both objects, and not the same: in what, each. */
  readonly changed: ReadonlyMap<string, readonly string[]>;
}

/**
 * Compares the maps of two objects by their names. Constants, the kernel's configuration and what holds programs is each
 * object's own.
 */
export function planMaps(before: ObjectShape, live: Readonly<Record<string, BpfMap>>, next: ObjectSpec): MapPlan {
  const after = shapeOf(next);
  const kept: string[] = [];
  const changed = new Map<string, readonly string[]>();
  for (const [name, map] of Object.entries(next.maps)) {
    const was = before.maps[name];
    const there = live[name];
    const is = after.maps[name];
    if (was === undefined || is === undefined || there === undefined || isOwn(name, map)) continue;
    const differences = [
      ...differencesOf(there, typedMap(map, next.btf), name),
      ...(was.section || is.section ? variableDifferences(name, before, after) : typeDifferences(was, is)),
    ];
    if (differences.length === 0) kept.push(name);
    else changed.set(name, differences);
  }
  return { kept, changed };
}

function isOwn(name: string, { type, frozen }: MapSpec): boolean {
  return frozen === true || name === ".kconfig" || type === "prog_array" || type === "struct_ops";
}

function typeDifferences(was: MapShape, is: MapShape): readonly string[] {
  const one = (from: Layout | undefined, to: Layout | undefined, what: string) => {
    // Where one of them says nothing of its types, their sizes have to do.
    const difference = from === undefined || to === undefined ? undefined : layoutDifference(from, to, what);
    return difference === undefined ? [] : [difference];
  };
  return [
    ...one(was.key, is.key, "key"),
    ...one(was.value, is.value, "value"),
    ...one(was.innerKey, is.innerKey, "key of the maps in it"),
    ...one(was.innerValue, is.innerValue, "value of the maps in it"),
  ];
}

/** A section's map is the same when the same variables stand at the same places. */
function variableDifferences(section: string, before: ObjectShape, after: ObjectShape): readonly string[] {
  const [was, is] = [variablesOf(section, before), variablesOf(section, after)];
  const differences: string[] = [];
  for (const [name, variable] of was) {
    const other = is.get(name);
    is.delete(name);
    const difference = other === undefined ? `${name}: there, then not` : variableDifference(name, variable, other);
    if (difference !== undefined) differences.push(difference);
  }
  for (const name of is.keys()) differences.push(`${name}: not there, then there`);
  return differences;
}

function variableDifference(name: string, was: VariableShape, is: VariableShape): string | undefined {
  if (was.offset !== is.offset) return `${name}: at byte ${was.offset}, then at byte ${is.offset}`;
  if (was.layout !== undefined && is.layout !== undefined) return layoutDifference(was.layout, is.layout, name);
  return was.size === is.size ? undefined : `${name}: of ${was.size} bytes, then ${is.size}`;
}

function variablesOf(section: string, { variables }: ObjectShape): Map<string, VariableShape> {
  return new Map(Object.entries(variables).filter(([, { map }]) => map === section));
}
