import { DtsPrinter, dtsKey, type MapSpec, type ObjectSpec } from "../../sdk/index.ts";

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
const PER_CPU = new Set(["percpu_hash", "percpu_array", "lru_percpu_hash", "percpu_cgroup_storage"]);
const KEYED = new Set(["hash", "array", "lru_hash", "lpm_trie", "stack_trace", "cgroup_storage", ...PER_CPU]);
const STORAGE = new Set(["sk_storage", "inode_storage", "task_storage", "cgrp_storage"]);
const NUMBERED = new Set(["array", "percpu_array", "stack_trace", "devmap", "devmap_hash", "cpumap"]);
const REFERENCES = new Set([
  "prog_array",
  "perf_event_array",
  "cgroup_array",
  "xskmap",
  "sockmap",
  "sockhash",
  "reuseport_sockarray",
]);

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
    const key = typeOf(map.keyType) ?? (NUMBERED.has(type) ? "number" : "Uint8Array");
    if (PER_CPU.has(type)) return use("KeyedMap", key, `Array<${value}>`);
    if (KEYED.has(type) || type === "devmap" || type === "devmap_hash" || type === "cpumap")
      return use("KeyedMap", key, value);
    if (STORAGE.has(type)) return use("StorageMap", value);
    if (type === "queue" || type === "stack") return use("QueueMap", value);
    if (type === "bloom_filter") return use("BloomFilter", value);
    if (type === "array_of_maps" || type === "hash_of_maps")
      return use(
        "MapOfMaps",
        type === "array_of_maps" ? "number" : key,
        map.inner === undefined ? use("BpfMap") : mapType(map.inner),
      );
    if (REFERENCES.has(type)) return use("ReferenceMap", type === "sockhash" ? key : "number");
    if (type === "arena") return use("ArenaMap");
    return use(type === "struct_ops" ? "StructOpsMap" : "BpfMap");
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
