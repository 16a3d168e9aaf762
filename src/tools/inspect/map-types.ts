import {
  type BpfMap,
  type Btf,
  type Layout,
  layoutOf,
  loadedBtf,
  type MapDetails,
  mapDetails,
  openMap,
} from "../../sdk/index.ts";

/** The types of a map's keys and values, where it was made with such. */
export interface MapTypes {
  readonly btf: Btf;
  /** Ids in it; 0 for a key that has none (sections of global variables). */
  readonly key: number;
  readonly value: number;
}

/** A map whose keys and values are decoded by its own types; bytes where it has none, or none that suit it. */
export interface TypedMap {
  readonly map: BpfMap;
  readonly details: MapDetails;
  readonly types: MapTypes | undefined;
  readonly layouts: { readonly key?: Layout; readonly value?: Layout };
}

/** Opens a map once more, with the layouts that its types give. The caller closes both. Throws SystemError. */
export function withTypes(map: BpfMap): TypedMap {
  const details = mapDetails(map);
  const types = typesOf(details);
  const layouts = types === undefined ? {} : layoutsOf(types, details);
  return { map: openMap(details.id, layouts), details, types, layouts };
}

function typesOf({ btfId, keyType, valueType }: MapDetails): MapTypes | undefined {
  if (btfId === 0 || valueType === 0) return undefined;
  try {
    return { btf: loadedBtf(btfId), key: keyType, value: valueType };
  } catch (error) {
    if ((error as { code?: unknown }).code === "EPERM") return undefined;
    throw error;
  }
}

function layoutsOf({ btf, key, value }: MapTypes, { keySize, valueSize }: MapDetails): TypedMap["layouts"] {
  const keyLayout = key === 0 ? undefined : fitting(layoutOf(btf, key), keySize);
  const section = sectionLayout(btf, value);
  const valueLayout = fitting(section ?? layoutOf(btf, value), valueSize);
  return {
    ...(keyLayout !== undefined && { key: keyLayout }),
    ...(valueLayout !== undefined && { value: valueLayout }),
  };
}

function fitting(layout: Layout, size: number): Layout | undefined {
  return layout.size === size ? layout : undefined;
}

/** Global variables (`.bss`, `.data` …) are a value with a field for each. */
function sectionLayout(btf: Btf, id: number): Layout | undefined {
  const type = btf.type(btf.resolve(id));
  if (type.kind !== "section") return undefined;
  const fields = type.variables.map(({ type: variable, offset }) => ({
    name: btf.type(variable).name,
    offset,
    layout: layoutOf(btf, variableType(btf, variable)),
  }));
  const names = new Set(fields.map(({ name }) => name));
  // Two static variables of one name cannot both be fields of it.
  if (names.size !== fields.length || fields.some(({ offset, layout }) => offset + layout.size > type.size))
    return undefined;
  return { kind: "struct", size: type.size, align: 8, fields };
}

function variableType(btf: Btf, id: number): number {
  const type = btf.type(id);
  return type.kind === "variable" ? type.type : id;
}
