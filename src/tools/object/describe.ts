import { MapFlag, type MapSpec, type ObjectSpec, type ProgramSpec } from "../../sdk/index.ts";

export interface ProgramDescription {
  readonly name: string;
  readonly type: string;
  readonly section: string | undefined;
  readonly attachType: string | undefined;
  readonly attachTo: string | undefined;
  readonly optional: boolean;
  readonly license: string;
  /** Instructions, the functions it calls included. */
  readonly instructions: number;
  /** The functions in it, its own first. */
  readonly functions: readonly string[];
  /** How many CO-RE relocations it has. */
  readonly relocations: number;
  /** Maps and externs it uses. */
  readonly maps: readonly string[];
  readonly externs: readonly string[];
  readonly tags: readonly string[];
}

export interface MapDescription {
  readonly name: string;
  readonly type: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  /** Names of its flags; bits without a name as numbers. */
  readonly flags: readonly string[];
  readonly pinned: boolean;
  readonly tags: readonly string[];
}

/** What an object holds, as plain data (schema skep.object/1). */
export interface ObjectDescription {
  readonly schema: "skep.object/1";
  readonly byteOrder: string;
  readonly types: number;
  readonly programs: readonly ProgramDescription[];
  readonly maps: readonly MapDescription[];
  readonly variables: readonly {
    readonly name: string;
    readonly map: string;
    readonly offset: number;
    readonly size: number;
  }[];
  readonly externs: readonly { readonly name: string; readonly kind: string; readonly weak: boolean }[];
}

export function describeObject(spec: ObjectSpec): ObjectDescription {
  return {
    schema: "skep.object/1",
    byteOrder: spec.byteOrder ?? "little",
    types: spec.btf === undefined ? 0 : spec.btf.endId - spec.btf.firstId,
    programs: Object.entries(spec.programs).map(([name, program]) => describeProgram(name, program)),
    maps: Object.entries(spec.maps).map(([name, map]) => describeMap(name, map)),
    variables: Object.entries(spec.variables ?? {}).map(([name, { map, offset, size }]) => ({
      name,
      map,
      offset,
      size,
    })),
    externs: Object.entries(spec.externs ?? {}).map(([name, { kind, weak }]) => ({ name, kind, weak })),
  };
}

function describeProgram(name: string, program: ProgramSpec): ProgramDescription {
  const { instructions } = program;
  const of = <T>(pick: (one: (typeof instructions)[number]) => T | undefined) => [
    ...new Set(instructions.map(pick).filter((value) => value !== undefined)),
  ];
  return {
    name,
    type: program.type,
    section: program.section,
    attachType: program.expectedAttachType,
    attachTo: program.attachTo,
    optional: program.optional ?? false,
    license: program.license,
    instructions: instructions.length,
    functions: instructions.flatMap(({ label }) => label ?? []),
    relocations: instructions.filter(({ relocation }) => relocation !== undefined).length,
    maps: of(({ map }) => map),
    externs: of(({ extern }) => extern),
    tags: program.tags ?? [],
  };
}

function describeMap(name: string, map: MapSpec): MapDescription {
  return {
    name,
    type: map.type,
    keySize: map.keySize ?? 0,
    valueSize: map.valueSize ?? 0,
    maxEntries: map.maxEntries,
    flags: flagNames(map.flags ?? 0),
    pinned: map.pinning !== undefined,
    tags: map.tags ?? [],
  };
}

/** Names of the flags of a map; bits without a name as numbers. */
export function flagNames(flags: number): readonly string[] {
  const names: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(MapFlag)) {
    if ((rest & bit) === 0) continue;
    names.push(name);
    rest &= ~bit;
  }
  return rest === 0 ? names : [...names, `0x${(rest >>> 0).toString(16)}`];
}
