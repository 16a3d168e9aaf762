import type { Btf } from "../../object/btf/index.ts";
import { decodeVariable, encodeVariable, type ObjectSpec, type VariableSpec } from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";

const KEY = new Uint8Array(4);

/** A global variable of a loaded object. */
export class LiveVariable {
  readonly name: string;
  readonly #map: BpfMap;
  readonly #spec: VariableSpec;
  readonly #btf: Btf | undefined;

  constructor(name: string, map: BpfMap, spec: VariableSpec, btf: Btf | undefined) {
    this.name = name;
    this.#map = map;
    this.#spec = spec;
    this.#btf = btf;
  }

  /** Its value now, typed by the object's BTF; raw bytes in an object without. */
  get(): unknown {
    const { offset, size } = this.#spec;
    const section = this.#map.getRaw(KEY);
    return decodeVariable(this.#btf, this.#spec, section?.slice(offset, offset + size) ?? new Uint8Array(size));
  }

  /**
   * Changes it. The section is written as a whole: what a program writes to another variable of it at this very moment may
   * be lost. Throws SystemError (EPERM) for const variables, which are read-only once loaded, and VariableError for a value
   * that does not fit.
   */
  set(value: unknown): void {
    const bytes = encodeVariable(this.#btf, this.name, this.#spec, value);
    const section = this.#map.getRaw(KEY) ?? new Uint8Array(this.#map.info.valueSize);
    section.set(bytes, this.#spec.offset);
    this.#map.setRaw(KEY, section);
  }
}

/** The variables of an object by name. */
export function liveVariables(
  object: ObjectSpec,
  maps: Readonly<Record<string, BpfMap>>,
): Record<string, LiveVariable> {
  return Object.fromEntries(
    Object.entries(object.variables ?? {}).flatMap(([name, spec]) => {
      const map = maps[spec.map];
      return map === undefined ? [] : [[name, new LiveVariable(name, map, spec, object.btf)]];
    }),
  );
}
