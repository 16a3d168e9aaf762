import { type Layout, layoutDifference, layoutOf } from "../../../object/codec/index.ts";
import type { MapSpec, ObjectSpec, VariableSpec } from "../../../object/spec/index.ts";
import type { BpfMap } from "../../map/index.ts";
import { typedMap } from "../object-maps.ts";
import { differencesOf } from "../pinned-map.ts";

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
export function planMaps(before: ObjectSpec, live: Readonly<Record<string, BpfMap>>, after: ObjectSpec): MapPlan {
  const kept: string[] = [];
  const changed = new Map<string, readonly string[]>();
  for (const [name, map] of Object.entries(after.maps)) {
    const was = before.maps[name];
    const there = live[name];
    if (was === undefined || there === undefined || isOwn(name, map)) continue;
    const differences = [
      ...differencesOf(there, typedMap(map, after.btf), name),
      ...(isSection(was) || isSection(map)
        ? variableDifferences(name, before, after)
        : typeDifferences(name, before, after)),
    ];
    if (differences.length === 0) kept.push(name);
    else changed.set(name, differences);
  }
  return { kept, changed };
}

function isOwn(name: string, { type, frozen }: MapSpec): boolean {
  return frozen === true || name === ".kconfig" || type === "prog_array" || type === "struct_ops";
}

/** Whether a map's value is the variables of a section. */
function isSection({ section, contents }: MapSpec): boolean {
  return section !== undefined || contents !== undefined;
}

function typeDifferences(name: string, before: ObjectSpec, after: ObjectSpec): readonly string[] {
  const [a, b] = [before, after].map(({ maps, btf }) => typedMap(maps[name] as MapSpec, btf)) as [MapSpec, MapSpec];
  const one = (from: Layout | undefined, to: Layout | undefined, what: string) => {
    // Where one of them says nothing of its types, their sizes have to do.
    const difference = from === undefined || to === undefined ? undefined : layoutDifference(from, to, what);
    return difference === undefined ? [] : [difference];
  };
  return [
    ...one(a.key, b.key, "key"),
    ...one(a.value, b.value, "value"),
    ...one(a.inner?.key, b.inner?.key, "key of the maps in it"),
    ...one(a.inner?.value, b.inner?.value, "value of the maps in it"),
  ];
}

/** A section's map is the same when the same variables stand at the same places. */
function variableDifferences(section: string, before: ObjectSpec, after: ObjectSpec): readonly string[] {
  const [was, is] = [variablesOf(section, before), variablesOf(section, after)];
  const differences: string[] = [];
  for (const [name, variable] of was) {
    const other = is.get(name);
    is.delete(name);
    if (other === undefined) differences.push(`${name}: there, then not`);
    else if (other.offset !== variable.offset)
      differences.push(`${name}: at byte ${variable.offset}, then at byte ${other.offset}`);
    else {
      const [from, to] = [layoutOfVariable(variable, before), layoutOfVariable(other, after)];
      const difference =
        from !== undefined && to !== undefined
          ? layoutDifference(from, to, name)
          : other.size === variable.size
            ? undefined
            : `${name}: of ${variable.size} bytes, then ${other.size}`;
      if (difference !== undefined) differences.push(difference);
    }
  }
  for (const name of is.keys()) differences.push(`${name}: not there, then there`);
  return differences;
}

function variablesOf(section: string, { variables = {} }: ObjectSpec): Map<string, VariableSpec> {
  return new Map(Object.entries(variables).filter(([, { map }]) => map === section));
}

function layoutOfVariable({ type }: VariableSpec, { btf }: ObjectSpec): Layout | undefined {
  return type === undefined || btf === undefined ? undefined : layoutOf(btf, type);
}
