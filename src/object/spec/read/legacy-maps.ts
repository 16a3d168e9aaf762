import type { ElfObject, ElfSection } from "../../elf/index.ts";
import { MapType } from "../map-type.ts";
import { uapiNameOrNumber } from "../uapi-name.ts";
import type { MapDefinition } from "./btf-maps.ts";
import { ObjectFileError } from "./object-file-error.ts";

/** type, key_size, value_size, max_entries, map_flags */
const LEAST = 20;

/**
 * Maps of section `maps`, as objects without types define them (`struct bpf_map_def`). What stands behind the five fields
 * known to all loaders must be zero: it means something to iproute2 only.
 */
export function readLegacyMaps(section: ElfSection, elf: ElfObject): readonly MapDefinition[] {
  const symbols = elf.symbols
    .filter((symbol) => symbol.section === section.index && symbol.name !== "" && symbol.type !== "section")
    .sort((a, b) => a.value - b.value);
  if (symbols.length === 0)
    throw new ObjectFileError(`Section ${section.name} has no symbols, and so its maps no names.`);
  const size = section.data.length / symbols.length;
  if (!Number.isInteger(size) || size < LEAST) {
    throw new ObjectFileError(
      `Section ${section.name} has ${section.data.length} bytes for ${symbols.length} maps: each definition must have the same size, ${LEAST} bytes or more.`,
    );
  }
  const view = new DataView(section.data.buffer, section.data.byteOffset, section.data.byteLength);
  const little = elf.byteOrder === "little";
  return symbols.map(({ name, value: offset, binding }, index): MapDefinition => {
    if (binding === "local") throw new ObjectFileError(`Map "${name}" is static: maps must be global.`);
    if (offset !== index * size)
      throw new ObjectFileError(
        `Map "${name}" is at byte ${offset} of section ${section.name}, where no definition begins.`,
      );
    const [number = 0, keySize = 0, valueSize = 0, maxEntries = 0, flags = 0] = [0, 4, 8, 12, 16].map((at) =>
      view.getUint32(offset + at, little),
    );
    if (section.data.subarray(offset + LEAST, offset + size).some((byte) => byte !== 0)) {
      throw new ObjectFileError(
        `Map "${name}" has more fields than all loaders know, and they are not zero (ids and pinning of iproute2): define it in section .maps.`,
      );
    }
    const type = uapiNameOrNumber(MapType, number);
    if (typeof type === "number")
      throw new ObjectFileError(`Map "${name}" is of type ${number}, which this version of Skep does not know.`);
    return { name, spec: { type, keySize, valueSize, maxEntries, flags }, offset, size };
  });
}
