import type { Btf } from "../../btf/index.ts";
import { type ElfObject, type ElfSection, SectionFlag, SectionType } from "../../elf/index.ts";
import { MapFlag } from "../map-type.ts";
import type { MapSpec, VariableSpec } from "../object-spec.ts";
import { tagsOf } from "./btf-maps.ts";

/** Longest name that the kernel keeps, without its NUL. */
const NAME = 15;

export type DataKind = "data" | "rodata" | "bss";

/** What a section of global variables is; undefined for others. */
export function dataKind({ name, type, flags, size }: ElfSection): DataKind | undefined {
  if (size === 0 || (flags & SectionFlag.executable) !== 0) return undefined;
  const is = (base: string) => name === base || name.startsWith(`${base}.`);
  if (type === SectionType.nobits) return is(".bss") ? "bss" : undefined;
  if (type !== SectionType.progbits) return undefined;
  // `.data.rel.ro` and the like are the compiler's, for machines that relocate themselves.
  if (is(".data")) return "data";
  return is(".rodata") ? "rodata" : undefined;
}

/** The map that holds a section of global variables. */
export function dataMap(section: ElfSection, kind: DataKind, btf: Btf | undefined, objectName: string): MapSpec {
  const valueType = btf?.find(section.name, "section");
  const type = valueType === undefined ? undefined : btf?.type(valueType);
  // Mapping needs no permission for variables that nobody outside can name.
  const shared =
    btf !== undefined &&
    type?.kind === "section" &&
    type.variables.some((one) => {
      const variable = btf.type(one.type);
      return variable.kind === "variable" && variable.linkage !== "static";
    });
  return {
    type: "array",
    name: kernelName(objectName, section.name),
    keySize: 4,
    valueSize: section.size,
    maxEntries: 1,
    flags: (kind === "rodata" ? MapFlag.rdonly_prog : 0) | (shared ? MapFlag.mmapable : 0),
    ...(valueType !== undefined && { valueType }),
    ...(kind !== "bss" && { contents: section.data.slice() }),
    ...(kind === "rodata" && { frozen: true }),
    section: section.name,
  };
}

/** `opensnoo.rodata`: the object's name and the section's, cut so that the section's stays whole. */
export function kernelName(objectName: string, section: string): string {
  const own = section.indexOf(".", 1) > 0;
  const suffix = section.slice(0, NAME);
  const name = own
    ? section
    : `${objectName.slice(0, Math.min(NAME - Math.max(7, suffix.length), objectName.length))}${suffix}`;
  return name.slice(0, NAME).replace(/[^A-Za-z0-9_.]/g, "_");
}

/** The global variables of the object by name; static ones of the same name are left out after the first. */
export function readVariables(
  elf: ElfObject,
  btf: Btf | undefined,
  maps: ReadonlyMap<number, string>,
): Record<string, VariableSpec> {
  const variables: Record<string, VariableSpec> = {};
  for (const [index, map] of maps) {
    const section = elf.sections[index];
    const id = section === undefined ? undefined : btf?.find(section.name, "section");
    const type = id === undefined ? undefined : btf?.type(id);
    if (btf !== undefined && type?.kind === "section") {
      for (const { type: variableId, offset, size } of type.variables) {
        const variable = btf.type(variableId);
        if (variable.kind !== "variable" || Object.hasOwn(variables, variable.name)) continue;
        const tags = tagsOf(btf, variableId);
        variables[variable.name] = { map, offset, size, type: variable.type, ...(tags.length > 0 && { tags }) };
      }
      continue;
    }
    for (const symbol of elf.symbols) {
      if (symbol.section !== index || symbol.type !== "object" || Object.hasOwn(variables, symbol.name)) continue;
      variables[symbol.name] = { map, offset: symbol.value, size: symbol.size };
    }
  }
  return variables;
}
