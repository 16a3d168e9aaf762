import type { Btf, BtfType, Member } from "../../btf/index.ts";
import type { ElfObject, ElfSection } from "../../elf/index.ts";
import { MapType, type MapTypeName } from "../map-type.ts";
import type { MapSpec } from "../object-spec.ts";
import { ObjectFileError } from "./object-file-error.ts";

const NAMES = new Map<number, MapTypeName>(
  Object.entries(MapType).map(([name, number]) => [number, name as MapTypeName]),
);

/** A map that is defined in `.maps`, and where. */
export interface MapDefinition {
  readonly name: string;
  readonly spec: MapSpec;
  /** Bytes into the section, and its length. */
  readonly offset: number;
  readonly size: number;
  /** Bytes into the definition where what it holds from the start is listed, 8 for each; undefined when nothing is. */
  readonly values?: number;
}

/** Maps defined by their types (`struct { __uint(type, …); __type(key, …); … } name SEC(".maps")`). */
export function readBtfMaps(btf: Btf, section: ElfSection, elf: ElfObject): readonly MapDefinition[] {
  const id = btf.find(section.name, "section");
  const type = id === undefined ? undefined : btf.type(id);
  if (type?.kind !== "section") {
    throw new ObjectFileError(
      `The object has a section ${section.name} and no types of what is in it: compile it with -g.`,
    );
  }
  return type.variables.map(({ type: variableId, offset, size }): MapDefinition => {
    const variable = btf.type(variableId);
    if (variable.kind !== "variable")
      throw new ObjectFileError(`Section ${section.name} holds a ${variable.kind}, and maps are variables.`);
    const { name } = variable;
    if (variable.linkage === "static") throw new ObjectFileError(`Map "${name}" is static: maps must be global.`);
    const symbol = elf.symbols.find((one) => one.section === section.index && one.name === name);
    // The compiler leaves offsets to be filled in from the symbols.
    const at = symbol?.value ?? offset;
    if (at + size > section.size)
      throw new ObjectFileError(`The definition of map "${name}" ends beyond section ${section.name}.`);
    const { spec, values } = readDefinition(btf, name, variable.type, false);
    const tags = tagsOf(btf, variableId);
    return {
      name,
      spec: { ...spec, ...(tags.length > 0 && { tags }) },
      offset: at,
      size,
      ...(values !== undefined && { values }),
    };
  });
}

/** Texts of `btf_decl_tag` on a variable or function, but not on one of its parameters. */
export function tagsOf(btf: Btf, id: number): readonly string[] {
  return tagsIn(btf).get(id) ?? [];
}

/** The same of a function by its name. */
export function tagsOfFunction(btf: Btf, name: string): readonly string[] {
  // Most objects have none at all.
  const id = tagsIn(btf).size === 0 ? undefined : btf.find(name, "function");
  return id === undefined ? [] : tagsOf(btf, id);
}

function tagsIn(btf: Btf): ReadonlyMap<number, readonly string[]> {
  let all = tagsByType.get(btf);
  if (all === undefined) {
    all = allTags(btf);
    tagsByType.set(btf, all);
  }
  return all;
}

/** An object is asked for the tags of each of its functions and variables: its types are gone through once. */
const tagsByType = new WeakMap<Btf, ReadonlyMap<number, readonly string[]>>();

function allTags(btf: Btf): ReadonlyMap<number, readonly string[]> {
  const all = new Map<number, string[]>();
  for (let at = btf.firstId; at < btf.endId; at++) {
    if (btf.kind(at) !== "declTag") continue;
    const tag = btf.type(at);
    if (tag.kind !== "declTag" || tag.component !== -1) continue;
    const tags = all.get(tag.type);
    if (tags === undefined) all.set(tag.type, [tag.name]);
    else tags.push(tag.name);
  }
  return all;
}

interface Definition {
  readonly spec: MapSpec;
  readonly values?: number;
}

function readDefinition(btf: Btf, map: string, id: number, isInner: boolean): Definition {
  const wrong = (why: string) => new ObjectFileError(`The definition of map "${map}" ${why}.`);
  const type = btf.type(btf.resolve(id));
  if (type.kind !== "struct") throw wrong(`is a ${type.kind} and not a struct`);
  const spec: { -readonly [K in keyof MapSpec]?: MapSpec[K] } = {};
  let number: number | undefined;
  let values: number | undefined;
  for (const [index, member] of type.members.entries()) {
    const integer = () => Number(readInteger(btf, member, wrong));
    switch (member.name) {
      case "type":
        number = integer();
        break;
      case "max_entries":
        spec.maxEntries = integer();
        break;
      case "map_flags":
        spec.flags = integer();
        break;
      case "numa_node":
        spec.numaNode = integer();
        break;
      case "map_extra":
        spec.extra = readInteger(btf, member, wrong);
        break;
      case "key_size":
      case "value_size": {
        const field = member.name === "key_size" ? "keySize" : "valueSize";
        const size = integer();
        if (spec[field] !== undefined && spec[field] !== size)
          throw wrong(`says twice what its ${field} is, ${spec[field]} and ${size}`);
        spec[field] = size;
        break;
      }
      case "key":
      case "value": {
        const pointer = btf.type(btf.resolve(member.type));
        if (pointer.kind !== "pointer")
          throw wrong(`gives its ${member.name} as a ${pointer.kind}; use __type(${member.name}, …)`);
        const [sizeField, typeField] =
          member.name === "key" ? (["keySize", "keyType"] as const) : (["valueSize", "valueType"] as const);
        const size = btf.sizeOf(pointer.type);
        if (spec[sizeField] !== undefined && spec[sizeField] !== size)
          throw wrong(`gives a ${member.name} of ${size} bytes and says that it has ${spec[sizeField]}`);
        spec[sizeField] = size;
        spec[typeField] = pointer.type;
        break;
      }
      case "values": {
        if (isInner) throw wrong("is of a map in a map, which cannot hold maps itself");
        if (index !== type.members.length - 1) throw wrong('must have "values" as its last member');
        values = member.bitOffset / 8;
        spec.valueSize ??= 4;
        if (spec.valueSize !== 4)
          throw wrong(`holds maps or programs, whose values have 4 bytes and not ${spec.valueSize}`);
        const inner = valuesOf(btf, member, wrong);
        if (inner !== undefined)
          spec.inner = { ...readDefinition(btf, `${map}.inner`, inner, true).spec, name: `${map}.inner` };
        break;
      }
      case "pinning": {
        if (isInner) throw wrong("is of a map in a map, which cannot be pinned");
        const how = integer();
        if (how > 1) throw wrong(`asks for pinning ${how}; there are 0 (none) and 1 (by name)`);
        if (how === 1) spec.pinning = "by-name";
        break;
      }
      default:
        throw wrong(
          `has a member "${member.name}" that is none of type, key, value, key_size, value_size, max_entries, map_flags, map_extra, numa_node, pinning, values`,
        );
    }
  }
  if (number === undefined) throw wrong("does not say its type: __uint(type, BPF_MAP_TYPE_…)");
  const name = NAMES.get(number);
  if (name === undefined) throw wrong(`is of type ${number}, which this version of Skep does not know`);
  const full: MapSpec = {
    ...spec,
    type: name,
    keySize: spec.keySize ?? 0,
    valueSize: spec.valueSize ?? 0,
    maxEntries: spec.maxEntries ?? 0,
    flags: spec.flags ?? 0,
  };
  return { spec: full, ...(values !== undefined && { values }) };
}

/** `__uint(name, n)` is a pointer to an array of n elements; `__ulong(name, n)` an enum with the value n. */
function readInteger(btf: Btf, member: Member, wrong: (why: string) => Error): bigint {
  const type = btf.type(btf.resolve(member.type));
  if (type.kind === "enum" || type.kind === "enum64") {
    const [value] = type.values;
    if (type.values.length === 1 && value !== undefined) return BigInt(value.value);
  }
  const array: BtfType | undefined = type.kind === "pointer" ? btf.type(btf.resolve(type.type)) : undefined;
  if (array?.kind !== "array") throw wrong(`gives "${member.name}" as a ${type.kind}; use __uint(${member.name}, …)`);
  return BigInt(array.length);
}

/** The definition of the maps inside; undefined where programs are inside. */
function valuesOf(btf: Btf, member: Member, wrong: (why: string) => Error): number | undefined {
  const array = btf.type(btf.resolve(member.type));
  const pointer = array.kind === "array" ? btf.type(btf.resolve(array.element)) : undefined;
  if (pointer?.kind !== "pointer") throw wrong('must have "values" as an array of pointers: __array(values, …)');
  const inside = btf.resolve(pointer.type);
  const { kind } = btf.type(inside);
  if (kind === "prototype") return undefined;
  if (kind !== "struct") throw wrong(`holds a ${kind}, and maps hold maps or programs`);
  return inside;
}
