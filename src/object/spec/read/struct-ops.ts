import type { Btf } from "../../btf/index.ts";
import type { ElfObject } from "../../elf/index.ts";
import type { MapSpec } from "../object-spec.ts";
import { ObjectFileError } from "./object-file-error.ts";

/** A variable of section `.struct_ops` or `.struct_ops.link`: a table of functions for the kernel to call. */
export interface StructOpsMap {
  readonly name: string;
  readonly spec: MapSpec;
}

const SECTIONS = [".struct_ops", ".struct_ops.link", "?.struct_ops", "?.struct_ops.link"];

/** Reads tables of functions; which programs their members point to comes from the relocations. */
export function readStructOps(elf: ElfObject, btf: Btf | undefined): readonly StructOpsMap[] {
  return elf.sections.flatMap((section) => {
    if (!SECTIONS.includes(section.name) || section.size === 0) return [];
    const id = btf?.find(section.name, "section");
    const type = id === undefined ? undefined : btf?.type(id);
    if (btf === undefined || type?.kind !== "section")
      throw new ObjectFileError(`Section ${section.name} has no types of what is in it: compile the object with -g.`);
    return type.variables.map(({ type: variableId, offset, size }): StructOpsMap => {
      const variable = btf.type(variableId);
      const struct = variable.kind === "variable" ? btf.type(btf.resolve(variable.type)) : undefined;
      if (variable.kind !== "variable" || struct?.kind !== "struct")
        throw new ObjectFileError(`"${variable.name}" in section ${section.name} is no variable of a struct type.`);
      const functions: Record<string, string> = {};
      for (const relocation of elf.relocationsOf(section.index)) {
        const at = relocation.offset - offset;
        if (at < 0 || at >= size) continue;
        const symbol = elf.symbols[relocation.symbol];
        const member = struct.members.find((one) => one.bitOffset === at * 8);
        if (symbol === undefined || member === undefined || symbol.type !== "function")
          throw new ObjectFileError(
            `Member at byte ${at} of "${variable.name}" points to "${symbol?.name ?? "?"}", which is no function of the object.`,
          );
        functions[member.name] = symbol.name;
      }
      return {
        name: variable.name,
        spec: {
          type: "struct_ops",
          keySize: 4,
          valueSize: size,
          maxEntries: 1,
          valueType: btf.resolve(variable.type),
          contents: section.data.slice(offset, offset + size),
          functions,
          ...(section.name.endsWith(".link") && { linked: true }),
          section: section.name,
        },
      };
    });
  });
}
