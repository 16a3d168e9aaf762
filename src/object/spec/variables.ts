import { type Btf, MACHINE_ORDER } from "../btf/index.ts";
import { decodeValue, encodeValue } from "../codec/index.ts";
import type { MapSpec, ObjectSpec, VariableSpec } from "./object-spec.ts";

/** A variable that the object does not have, or a value that it cannot hold. */
export class VariableError extends Error {
  override readonly name = "VariableError";
  readonly code = "SKEP_VARIABLE";
}

/**
 * A copy of the spec in which global variables have other values from the start; the only way to set those that are const
 * once the object is loaded. Values are typed by the object's BTF (`layoutOf`); `Uint8Array`s of the variable's size are
 * taken as they are. Throws VariableError for a name that there is not or a value that does not fit; then nothing changes.
 */
export function withVariables(spec: ObjectSpec, values: Readonly<Record<string, unknown>>): ObjectSpec {
  const contents = new Map<string, Uint8Array>();
  for (const [name, value] of Object.entries(values)) {
    const variable = Object.hasOwn(spec.variables ?? {}, name) ? spec.variables?.[name] : undefined;
    const map = variable === undefined ? undefined : spec.maps[variable.map];
    if (variable === undefined || map === undefined) {
      throw new VariableError(
        `The object has no variable "${name}" (it has: ${Object.keys(spec.variables ?? {}).join(", ") || "none"}). A static variable may have been optimised away: make it volatile.`,
      );
    }
    let bytes = contents.get(variable.map);
    if (bytes === undefined) {
      bytes = new Uint8Array(map.valueSize ?? 0);
      if (map.contents !== undefined) bytes.set(map.contents);
      contents.set(variable.map, bytes);
    }
    bytes.set(encodeVariable(spec.btf, name, variable, value), variable.offset);
  }
  const maps: Record<string, MapSpec> = { ...spec.maps };
  for (const [name, bytes] of contents) maps[name] = { ...(maps[name] as MapSpec), contents: bytes };
  return { ...spec, maps };
}

/**
 * The bytes of a variable's value, typed by the object's BTF; a Uint8Array of its size is taken as it is. Throws
 * VariableError.
 */
export function encodeVariable(
  btf: Btf | undefined,
  name: string,
  { type, size }: VariableSpec,
  value: unknown,
): Uint8Array {
  if (value instanceof Uint8Array) {
    if (value.length === size) return value;
    throw new VariableError(`Variable "${name}" has ${size} bytes, and ${value.length} are given.`);
  }
  if (type === undefined || btf === undefined)
    throw new VariableError(
      `Variable "${name}" has no type, as the object has no BTF: give its ${size} bytes as a Uint8Array.`,
    );
  if (btf.byteOrder !== MACHINE_ORDER)
    throw new VariableError(
      `Variable "${name}" is of a ${btf.byteOrder}-endian object: give its ${size} bytes as a Uint8Array.`,
    );
  const bytes = new Uint8Array(size);
  try {
    bytes.set(encodeValue(btf, type, value));
  } catch (error) {
    throw new VariableError(`Variable "${name}" cannot be ${String(value)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return bytes;
}

/** The value of a variable's bytes, typed by the object's BTF; the bytes themselves in an object without, or of the other byte order. */
export function decodeVariable(btf: Btf | undefined, { type }: VariableSpec, bytes: Uint8Array): unknown {
  if (type === undefined || btf === undefined || btf.byteOrder !== MACHINE_ORDER) return bytes;
  return decodeValue(btf, type, bytes);
}
