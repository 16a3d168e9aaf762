import { DtsPrinter, dtsKey, isNumbered, isPerCpu, MapClass, type MapSpec, type ObjectSpec } from "../../sdk/index.ts";

/** Names the file imports from the package. */
const IMPORTED = [
  "ArenaMap",
  "BloomFilter",
  "BpfMap",
  "KeyedMap",
  "MapOfMaps",
  "Program",
  "QueueMap",
  "ReferenceMap",
  "StorageMap",
  "StructOpsMap",
  "TypedVariable",
];

/**
 * The `.d.ts` of an object: the types of its maps' keys and values, of its variables and enums, and one interface of all,
 * called `name`, that `loadObject<NAME>(file)` takes. Throws BtfError.
 */
export function generateTypes(spec: ObjectSpec, name: string, file: string): string {
  const printer = spec.btf === undefined ? undefined : new DtsPrinter(spec.btf, [...IMPORTED, name]);
  const typeOf = (id: number | undefined) =>
    id === undefined || printer === undefined ? undefined : printer.typeOf(id);
  const used = new Set<string>();
  const use = (imported: string, ...parameters: string[]) => {
    used.add(imported);
    return parameters.length === 0 ? imported : `${imported}<${parameters.join(", ")}>`;
  };
  const mapType = (map: MapSpec): string => {
    const { type } = map;
    const value = (map.section === undefined ? typeOf(map.valueType) : undefined) ?? defaultValue(map);
    const key = typeOf(map.keyType) ?? (isNumbered(type) ? "number" : "Uint8Array");
    // Slots of arrays are numbers, whatever the object calls them.
    const slot = isNumbered(type) ? "number" : key;
    switch (MapClass[type]) {
      case "keyed":
        return use("KeyedMap", key, isPerCpu(type) ? `Array<${value}>` : value);
      case "storage":
        return use("StorageMap", value);
      case "queue":
        return use("QueueMap", value);
      case "bloom":
        return use("BloomFilter", value);
      case "maps":
        return use("MapOfMaps", slot, map.inner === undefined ? use("BpfMap") : mapType(map.inner));
      case "reference":
        return use("ReferenceMap", slot);
      case "arena":
        return use("ArenaMap");
      case "structOps":
        return use("StructOpsMap");
      case "plain":
        return use("BpfMap");
    }
  };
  const block = (title: string, lines: readonly string[]) =>
    lines.length === 0
      ? `  readonly ${title}: {};`
      : `  readonly ${title}: {\n${lines.map((l) => `    ${l}\n`).join("")}  };`;
  const maps = Object.entries(spec.maps).map(([map, one]) => `readonly ${dtsKey(map)}: ${mapType(one)};`);
  const programs = Object.keys(spec.programs).map((program) => `readonly ${dtsKey(program)}: ${use("Program")};`);
  const variables = Object.entries(spec.variables ?? {}).map(([variable, { type }]) => {
    const text = use("TypedVariable", typeOf(type) ?? "Uint8Array");
    return `readonly ${dtsKey(variable)}: ${text};`;
  });
  const whole = `/** ${file}: \`loadObject<${name}>("${file}")\`. */\nexport interface ${name} {\n${[
    block("maps", maps),
    block("programs", programs),
    block("variables", variables),
  ].join("\n")}\n}`;
  const parts = [...(printer?.declarations ?? []), whole];
  const imports = used.size === 0 ? [] : [`import type { ${[...used].sort().join(", ")} } from "skep";`];
  return `${[`// Made by skep gen from ${file}: change the C, not this.`, ...imports].join("\n")}\n\n${parts.join("\n\n")}\n`;
}

/** Stacks of build ids (BPF_F_STACK_BUILD_ID) are no addresses. */
function defaultValue({ type, flags = 0 }: MapSpec): string {
  return type === "stack_trace" && (flags & (1 << 5)) === 0 ? "bigint[]" : "Uint8Array";
}

/** Whether a name means something else in the file. */
export function isTaken(name: string): boolean {
  return IMPORTED.includes(name) || name === "Array" || name === "Record" || name === "Uint8Array";
}

/** `opensnoop.bpf.o` → `Opensnoop`. */
export function interfaceName(file: string): string {
  const words = (file.split("/").at(-1) ?? file).replace(/(\.bpf)?\.o$/, "").split(/[^A-Za-z0-9]+/);
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
  return /^[A-Z]/.test(name) && !isTaken(name) ? name : `Object${name}`;
}
