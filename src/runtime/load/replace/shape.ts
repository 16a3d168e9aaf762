import { type Layout, layoutOf } from "../../../object/codec/index.ts";
import type { MapSpec, ObjectSpec, ProgramSpec } from "../../../object/spec/index.ts";
import { typedMap } from "../object-maps.ts";

/** How the entries of a map read, as far as its object says. */
export interface MapShape {
  /** Its value is the variables of a section. */
  readonly section: boolean;
  readonly key?: Layout;
  readonly value?: Layout;
  readonly innerKey?: Layout;
  readonly innerValue?: Layout;
}

export interface VariableShape {
  readonly map: string;
  readonly offset: number;
  readonly size: number;
  readonly layout?: Layout;
}

const PLACE = ["type", "expectedAttachType", "section", "attachTo", "attachBtfId", "flags"] as const;

/** What says where a program is attached. */
export type Place = Pick<ProgramSpec, (typeof PLACE)[number]>;

/**
 * What of an object is compared with the one that takes its place: plain data, so that it can be kept beside what is pinned.
 */
export interface ObjectShape {
  readonly maps: Readonly<Record<string, MapShape>>;
  readonly variables: Readonly<Record<string, VariableShape>>;
  readonly programs: Readonly<Record<string, Place>>;
}

/** `programs`: those that are loaded, as they are. */
export function shapeOf(
  { maps, variables = {}, btf }: ObjectSpec,
  programs: Readonly<Record<string, ProgramSpec>> = {},
): ObjectShape {
  const each = <A, B>(of: Readonly<Record<string, A>>, shape: (one: A) => B) =>
    Object.fromEntries(Object.entries(of).map(([name, one]) => [name, shape(one)]));
  return {
    maps: each(maps, (map) => mapShape(map.section !== undefined || map.contents !== undefined, typedMap(map, btf))),
    variables: each(variables, ({ map, offset, size, type }) => ({
      map,
      offset,
      size,
      ...(type !== undefined && btf !== undefined && { layout: layoutOf(btf, type) }),
    })),
    programs: each(programs, placeOf),
  };
}

export function placeOf(program: Place): Place {
  return Object.fromEntries(
    PLACE.filter((key) => program[key] !== undefined).map((key) => [key, program[key]]),
  ) as unknown as Place;
}

/** Whether a program is attached to the same as another of its name. */
export function isSamePlace(was: Place | undefined, is: Place): boolean {
  return was !== undefined && PLACE.every((key) => was[key] === is[key]);
}

function mapShape(section: boolean, { key, value, inner }: MapSpec): MapShape {
  return {
    section,
    ...(key !== undefined && { key }),
    ...(value !== undefined && { value }),
    ...(inner?.key !== undefined && { innerKey: inner.key }),
    ...(inner?.value !== undefined && { innerValue: inner.value }),
  };
}
