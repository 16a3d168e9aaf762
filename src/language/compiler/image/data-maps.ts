import { MapFlag, type MapSpec, type VariableSpec } from "../../../object/spec/index.ts";
import type { Module } from "../hir.ts";
import { type DataLayout, type DataSection, LOSSES } from "../lower/data-layout.ts";
import { sizeOf, U64 } from "../type.ts";
import type { PlacedVariable, ProgramTypes } from "./program-types.ts";

/**
 * What a map's loss counter is called among `ObjectSpec.variables`: `opened.dropped`, a u64 in the map `.losses`. No variable
 * of the source has a dot in its name.
 */
export function lossVariable(map: string): string {
  return `${map}.dropped`;
}

/** The maps that hold variables, and where in them each stands. */
export function dataMaps(
  module: Module,
  layout: DataLayout,
  types: ProgramTypes,
): { readonly maps: Record<string, MapSpec>; readonly variables: Record<string, VariableSpec> } {
  const maps: Record<string, MapSpec> = {};
  const variables: Record<string, VariableSpec> = {};
  for (const [section, size] of layout.sizes) {
    if (section === LOSSES) continue;
    const placed: PlacedVariable[] = [];
    const contents = new Uint8Array(size);
    for (const global of module.globals) {
      const place = layout.globals.get(global);
      if (place?.section !== section) continue;
      const { offset } = place;
      placed.push({ name: global.name, type: global.type, offset });
      contents.set(global.initial, offset);
      variables[global.name] = { map: section, offset, size: sizeOf(global.type), type: types.of(global.type) };
    }
    maps[section] = sectionMap(section, size, types.section(section, size, placed), contents);
  }
  const size = layout.sizes.get(LOSSES);
  if (size !== undefined) {
    const type = types.of(U64);
    for (const [map, offset] of layout.losses)
      variables[lossVariable(map.name)] = { map: LOSSES, offset, size: 8, type };
    maps[LOSSES] = sectionMap(LOSSES, size);
  }
  return { maps, variables };
}

function sectionMap(section: DataSection, size: number, valueType?: number, contents?: Uint8Array): MapSpec {
  const isConstant = section === ".rodata";
  return {
    type: "array",
    name: section,
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: MapFlag.mmapable | (isConstant ? MapFlag.rdonly_prog : 0),
    section,
    ...(valueType !== undefined && { valueType }),
    ...(contents !== undefined && section !== ".bss" && { contents }),
    ...(isConstant && { frozen: true }),
  };
}
