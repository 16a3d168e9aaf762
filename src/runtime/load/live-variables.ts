import type { Btf } from "../../object/btf/index.ts";
import { layoutOf, type Memory, makeBoundDecoder, memoryOf } from "../../object/codec/index.ts";
import {
  decodeVariable,
  encodeVariable,
  MapFlag,
  type ObjectSpec,
  type VariableSpec,
} from "../../object/spec/index.ts";
import { ArenaMap, type BpfMap } from "../map/index.ts";
import { Mapping, Protection, pageSize } from "../sys/index.ts";
import { own } from "./own.ts";

const KEY = new Uint8Array(4);

/** A global variable of a loaded object. */
export interface LiveVariable {
  readonly name: string;
  /** Its value now, typed by the object's BTF; raw bytes in an object without. */
  get(): unknown;
  /**
   * Changes it, at once as far as the machine can: numbers of up to 64 bits are never seen half written, and what programs
   * write to other variables meanwhile stays. Where the section cannot be mapped (objects whose variables are all static)
   * it is written as a whole. Throws SystemError (EPERM) for const variables, which are read-only once loaded, and
   * VariableError for a value that does not fit.
   */
  set(value: unknown): void;
}

/** The variables of an object by name; `close` gives up the memory they are read from. */
export function liveVariables(
  object: ObjectSpec,
  maps: Readonly<Record<string, BpfMap>>,
): { readonly variables: Readonly<Record<string, LiveVariable>>; readonly close: () => void } {
  const sections = new Map<BpfMap, Section>();
  const variables = Object.entries(object.variables ?? {}).flatMap(([name, spec]): [string, LiveVariable][] => {
    const map = own(maps, spec.map);
    if (map === undefined) return [];
    const section = sections.get(map) ?? new Section(map, object.maps[spec.map]?.frozen === true);
    sections.set(map, section);
    return [[name, section.isMapped ? mapped(name, spec, section, object.btf) : copied(name, spec, map, object.btf)]];
  });
  return {
    variables: Object.fromEntries(variables),
    close: () => {
      for (const section of sections.values()) section.close();
    },
  };
}

/** The map of a section, mapped when a variable of it is first used. */
class Section {
  readonly isMapped: boolean;
  readonly #map: BpfMap;
  #mapping: Mapping | undefined;
  #memory: Memory | undefined;

  constructor(map: BpfMap, frozen: boolean) {
    this.#map = map;
    const { type, flags } = map.info;
    // What is read-only would end the process when it is written to; it does not change, so a copy does.
    this.isMapped = map instanceof ArenaMap || (type === "array" && (flags & MapFlag.mmapable) !== 0 && !frozen);
  }

  get memory(): Memory {
    if (this.#map instanceof ArenaMap) return this.#map.memory;
    if (this.#memory === undefined) {
      const bytes = Math.ceil(this.#map.info.valueSize / pageSize()) * pageSize();
      const protection = Protection.read | Protection.write;
      this.#mapping = new Mapping(this.#map.fd, bytes, protection, 0, `memory of map "${this.#map.name}"`);
      this.#memory = memoryOf(this.#mapping.buffer);
    }
    // Throws a ClosedError when the object is closed.
    void this.#mapping?.buffer;
    return this.#memory;
  }

  close(): void {
    this.#mapping?.close();
  }
}

function mapped(name: string, spec: VariableSpec, section: Section, btf: Btf | undefined): LiveVariable {
  const { offset, size, type } = spec;
  const layout = btf === undefined || type === undefined ? undefined : layoutOf(btf, type);
  const align = [8, 4, 2, 1].find((n) => offset % n === 0) as 1 | 2 | 4 | 8;
  let decode: ((offset: number) => unknown) | undefined;
  return {
    name,
    get() {
      const { memory } = section;
      if (layout === undefined) return memory.u8.slice(offset, offset + size);
      decode ??= makeBoundDecoder(layout, memory, { live: true, align });
      return decode(offset);
    },
    set(value) {
      store(section.memory, offset, encodeVariable(btf, name, spec, value));
    },
  };
}

/** What has a number's size, at a place for such, is stored at once: nobody sees half of it. */
function store(memory: Memory, offset: number, bytes: Uint8Array): void {
  const from = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { length } = bytes;
  if (offset % length !== 0) memory.u8.set(bytes, offset);
  else if (length === 8) memory.u64[offset >>> 3] = from.getBigUint64(0, true);
  else if (length === 4) memory.u32[offset >>> 2] = from.getUint32(0, true);
  else if (length === 2) memory.u16[offset >>> 1] = from.getUint16(0, true);
  else memory.u8.set(bytes, offset);
}

function copied(name: string, spec: VariableSpec, map: BpfMap, btf: Btf | undefined): LiveVariable {
  const { offset, size } = spec;
  return {
    name,
    get() {
      const section = map.getRaw(KEY);
      return decodeVariable(btf, spec, section?.slice(offset, offset + size) ?? new Uint8Array(size));
    },
    set(value) {
      const bytes = encodeVariable(btf, name, spec, value);
      const section = map.getRaw(KEY) ?? new Uint8Array(map.info.valueSize);
      section.set(bytes, offset);
      map.setRaw(KEY, section);
    },
  };
}
