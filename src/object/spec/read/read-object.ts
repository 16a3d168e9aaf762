import { type Btf, BtfError, Btf as BtfReader, type ExtWords, readExtWords } from "../../btf/index.ts";
import { type ElfObject, type ElfSection, parseElf, SectionType } from "../../elf/index.ts";
import { decodedLater, withInstructions } from "../lazy-program.ts";
import { MapFlag } from "../map-type.ts";
import type { ExternSpec, MapSpec, ObjectSpec, ProgramSpec } from "../object-spec.ts";
import { type MapDefinition, readBtfMaps, tagsOfFunction } from "./btf-maps.ts";
import { dataKind, dataMap, kernelName, readVariables } from "./data-maps.ts";
import { readExterns } from "./externs.ts";
import { fixBtf } from "./fix-btf.ts";
import { type ObjectFunction, readFunctions } from "./functions.ts";
import { readLegacyMaps } from "./legacy-maps.ts";
import { link } from "./link.ts";
import { ObjectFileError } from "./object-file-error.ts";
import { type MapPlaces, makeRelocator } from "./relocations.ts";
import { type SectionMeaning, sectionMeaning } from "./section-kinds.ts";
import { readStructOps } from "./struct-ops.ts";

export interface ReadOptions {
  /** What the object is called: begins the names of the maps with its global variables. */
  readonly name?: string;
}

/** Section of functions that programs call. */
const TEXT = ".text";

/**
 * Reads an eBPF object file, as clang, GCC, Rust or `bpftool gen object` make it, into plain data. Needs no kernel: the same
 * file gives the same spec everywhere. Throws ElfError (the file is no such ELF), BtfError (its types are broken) or
 * ObjectFileError (something in it cannot be used), each with what is wrong and what to do.
 */
export function readObject(bytes: Uint8Array, options: ReadOptions = {}): ObjectSpec {
  const elf = parseElf(bytes);
  const name = options.name ?? "object";
  const { btf, info } = readTypes(elf);
  const definitions = elf.sections.flatMap((section) => readMaps(section, btf, elf));
  const externs = readExterns(elf, btf);
  const data = new Map<number, string>();
  const maps: Record<string, MapSpec> = {};
  for (const { name: map, spec } of definitions) maps[map] = spec;
  for (const section of elf.sections) {
    const kind = dataKind(section);
    if (kind === undefined) continue;
    data.set(section.index, section.name);
    maps[section.name] = dataMap(section, kind, btf, name);
  }
  addArena(elf, maps, data);
  addKconfig(externs, btf, maps, name);
  const structOps = readStructOps(elf, btf);
  for (const { name: map, spec } of structOps) maps[map] = spec;
  const places = placesOf(definitions, elf, data);
  const relocator = makeRelocator(elf, places, new Set(Object.keys(externs)));
  const functions = readFunctions(elf, info, relocator);
  const programs = readPrograms(functions, elf, btf);
  return {
    maps: Object.fromEntries(
      Object.entries(maps).map(([map, spec]) => [map, withSlots(map, spec, definitions, elf, programs)]),
    ),
    programs,
    variables: readVariables(
      elf,
      btf,
      new Map(
        [...data].filter(([index, map]) => {
          const section = elf.sections[index] as ElfSection;
          return dataKind(section) !== undefined || maps[map]?.type === "arena";
        }),
      ),
    ),
    externs,
    ...(btf !== undefined && { btf }),
    byteOrder: elf.byteOrder,
    ...versionOf(elf),
  };
}

function readTypes(elf: ElfObject): { readonly btf: Btf | undefined; readonly info: ExtWords | undefined } {
  const section = (name: string) => elf.sections.find((one) => one.name === name && one.type === SectionType.progbits);
  const types = section(".BTF");
  if (types === undefined || types.data.length === 0) return { btf: undefined, info: undefined };
  // What is read later is not to depend on what the caller does with the file's bytes.
  const raw = BtfReader.parse(types.data.slice());
  if (raw.byteOrder !== elf.byteOrder)
    throw new BtfError(`The types are ${raw.byteOrder}-endian and the object is ${elf.byteOrder}-endian.`);
  const ext = section(".BTF.ext");
  return {
    btf: fixBtf(raw, elf),
    info: ext === undefined ? undefined : readExtWords(ext.data, (offset) => raw.text(offset)),
  };
}

function readMaps(section: ElfSection, btf: Btf | undefined, elf: ElfObject): readonly MapDefinition[] {
  if (section.size === 0) return [];
  if (section.name === ".maps") {
    if (btf === undefined)
      throw new ObjectFileError("The object defines maps in section .maps and has no types: compile it with -g.");
    return readBtfMaps(btf, section, elf);
  }
  return section.name === "maps" || section.name.startsWith("maps/") ? readLegacyMaps(section, elf) : [];
}

/** Globals in an arena stand at its beginning; the arena must be one of the object's maps. */
function addArena(elf: ElfObject, maps: Record<string, MapSpec>, data: Map<number, string>): void {
  const section = elf.sections.find((one) => one.name === ".addr_space.1" && one.size > 0);
  if (section === undefined) return;
  const arena = Object.entries(maps).find(([, { type }]) => type === "arena");
  if (arena === undefined)
    throw new ObjectFileError("The object has variables in an arena (section .addr_space.1) and no map of type arena.");
  const [name, spec] = arena;
  data.set(section.index, name);
  maps[name] = { ...spec, contents: section.data.slice() };
}

function addKconfig(
  externs: Readonly<Record<string, ExternSpec>>,
  btf: Btf | undefined,
  maps: Record<string, MapSpec>,
  name: string,
): void {
  const ends = Object.values(externs)
    .filter(({ kind }) => kind === "kconfig")
    .map(({ offset = 0, size = 0 }) => offset + size);
  if (ends.length === 0) return;
  const valueType = btf?.find(".kconfig", "section");
  maps[".kconfig"] = {
    type: "array",
    name: kernelName(name, ".kconfig"),
    keySize: 4,
    valueSize: Math.max(...ends),
    maxEntries: 1,
    flags: MapFlag.rdonly_prog | MapFlag.mmapable,
    ...(valueType !== undefined && { valueType }),
    frozen: true,
    section: ".kconfig",
  };
}

function placesOf(definitions: readonly MapDefinition[], elf: ElfObject, data: ReadonlyMap<number, string>): MapPlaces {
  const defined = new Map<number, Map<number, string>>();
  for (const section of elf.sections) {
    const isMaps = section.name === ".maps" || section.name === "maps" || section.name.startsWith("maps/");
    if (!isMaps) continue;
    const here = new Map<number, string>();
    defined.set(section.index, here);
    for (const { name, offset } of definitions) {
      const symbol = elf.symbols.find((one) => one.section === section.index && one.name === name);
      if (symbol !== undefined) here.set(offset, name);
    }
  }
  return {
    definedAt: (section, offset) => defined.get(section)?.get(offset),
    dataOf: (section) => data.get(section),
  };
}

/** Maps and programs that a map holds from the start: relocations in its definition. */
function withSlots(
  map: string,
  spec: MapSpec,
  definitions: readonly MapDefinition[],
  elf: ElfObject,
  programs: Readonly<Record<string, ProgramSpec>>,
): MapSpec {
  const definition = definitions.find(({ name, values }) => name === map && values !== undefined);
  const section = elf.sections.find(({ name }) => name === ".maps");
  if (definition?.values === undefined || section === undefined) return spec;
  const slots: Record<number, string> = {};
  const start = definition.offset + definition.values;
  for (const { offset, symbol: index } of elf.relocationsOf(section.index)) {
    if (offset < definition.offset || offset >= definition.offset + definition.size) continue;
    const symbol = elf.symbols[index];
    if (symbol === undefined || offset < start || (offset - start) % 8 !== 0)
      throw new ObjectFileError(
        `The definition of map "${map}" has a relocation at byte ${offset - definition.offset}, where no slot begins.`,
      );
    const isInside =
      spec.inner === undefined
        ? Object.hasOwn(programs, symbol.name)
        : definitions.some(({ name }) => name === symbol.name);
    if (!isInside)
      throw new ObjectFileError(
        `Map "${map}" holds "${symbol.name}" from the start, which is no ${spec.inner === undefined ? "program" : "map"} of the object.`,
      );
    slots[(offset - start) / 8] = symbol.name;
  }
  return Object.keys(slots).length === 0 ? spec : { ...spec, slots };
}

/** A program while what its object tells of it is put in; its instructions come later. */
type Draft = { -readonly [K in keyof Omit<ProgramSpec, "instructions">]: ProgramSpec[K] };

function readPrograms(
  functions: readonly ObjectFunction[],
  elf: ElfObject,
  btf: Btf | undefined,
): Record<string, ProgramSpec> {
  const license = textOf(elf, "license") ?? "";
  const byName = new Map(functions.map((one) => [one.name, one]));
  const meanings = new Map<string, SectionMeaning>();
  const meaningOf = (section: string): SectionMeaning => {
    const meaning = meanings.get(section) ?? sectionMeaning(section);
    meanings.set(section, meaning);
    return meaning;
  };
  const programs: Record<string, ProgramSpec> = {};
  for (const one of functions) {
    const { section, symbol, name } = one;
    if (section.name === TEXT) continue;
    if (symbol.binding === "local") {
      throw new ObjectFileError(
        `Program "${name}" in section ${section.name} is static: only functions of section .text can be, which others call.`,
      );
    }
    const { kind, attachTo, optional } = meaningOf(section.name);
    const tags = btf === undefined ? [] : tagsOfFunction(btf, symbol.name);
    const spec: Draft = {
      type: kind.type,
      license,
    };
    if (kind.attachType !== undefined) spec.expectedAttachType = kind.attachType;
    if (kind.flags !== undefined) spec.flags = kind.flags;
    spec.section = section.name;
    if (attachTo !== "") spec.attachTo = attachTo;
    if (optional) spec.optional = optional;
    if (tags.length > 0) spec.tags = tags;
    programs[name] = withInstructions(spec, decodedLater(link(one, byName, btf, exceptionCallback(tags, byName))));
  }
  return programs;
}

/**
 * The function that the kernel calls when a program throws (`__exception_cb(name)`): nothing in the program's code refers
 * to it. Where two are named the verifier is to say so.
 */
function exceptionCallback(
  tags: readonly string[],
  functions: ReadonlyMap<string, ObjectFunction>,
): ObjectFunction | undefined {
  if (tags.length === 0) return undefined;
  const [name, ...more] = tags.flatMap((tag) => /^exception_callback:(.+)$/.exec(tag)?.[1] ?? []);
  const callback = name === undefined || more.length > 0 ? undefined : functions.get(name);
  const { section, symbol } = callback ?? {};
  return section?.name === TEXT && symbol?.binding !== "local" && symbol?.hidden !== true ? callback : undefined;
}

function versionOf(elf: ElfObject): { readonly kernelVersion?: number } {
  const section = elf.sections.find(({ name }) => name === "version");
  if (section === undefined) return {};
  if (section.data.length !== 4)
    throw new ObjectFileError(`Section version has ${section.data.length} bytes instead of 4.`);
  const view = new DataView(section.data.buffer, section.data.byteOffset, 4);
  return { kernelVersion: view.getUint32(0, elf.byteOrder === "little") };
}

function textOf(elf: ElfObject, section: string): string | undefined {
  const data = elf.sections.find(({ name }) => name === section)?.data;
  if (data === undefined) return undefined;
  const end = data.indexOf(0);
  return new TextDecoder().decode(data.subarray(0, end < 0 ? data.length : end));
}
