import type { Btf } from "../btf.ts";
import type { Access } from "./access.ts";
import { CoreError, type FieldKind, isFieldKind, isTypeKind, type Relocation, typeText } from "./relocation.ts";

/** What a relocation comes to for one side. */
export interface Value {
  readonly value: bigint;
  /** Whether the compiler must have computed the same; it may not have for bit-fields and for ids. */
  readonly checked: boolean;
  /** For `fieldByteOffset`: bytes that a load or store of the field has, and its type. */
  readonly access?: { readonly size: number; readonly type: number };
}

/** The value for a path; for no path, which means that the target lacks it. Undefined: there is no value, poison it. */
export function relocatedValue(relocation: Relocation, access: Access | undefined): Value | undefined {
  const { kind } = relocation;
  if (isTypeKind(kind)) {
    if (access === undefined) return { value: 0n, checked: true };
    if (kind === "typeSize") return { value: BigInt(access.btf.sizeOf(access.root)), checked: true };
    return kind === "typeExists" || kind === "typeMatches"
      ? { value: 1n, checked: true }
      : { value: BigInt(access.root), checked: false };
  }
  if (kind === "enumValueExists" || kind === "fieldExists")
    return { value: access === undefined ? 0n : 1n, checked: true };
  if (access === undefined) return undefined;
  if (isFieldKind(kind)) return fieldValue(kind, access);
  const [step] = access.steps;
  const type = access.btf.type(step?.type ?? 0);
  const value = (type.kind === "enum" || type.kind === "enum64" ? type.values : [])[step?.index ?? 0]?.value ?? 0;
  // Enums of 32 bits count as signed, whatever they say: older BTF does not tell.
  return { value: type.kind === "enum" ? BigInt.asIntN(32, BigInt(value)) : BigInt(value), checked: true };
}

function fieldValue(kind: FieldKind, { btf, root, steps, bitOffset }: Access): Value {
  const last = steps.at(-1);
  if (last === undefined) throw new CoreError(`A field of ${typeText(btf, root)} has no path.`);
  if (last.name === undefined) {
    // An array's element, or the root itself.
    const size = btf.sizeOf(last.type);
    if (kind === "fieldByteOffset")
      return { value: BigInt(Math.floor(bitOffset / 8)), checked: true, access: { size, type: last.type } };
    if (kind === "fieldByteSize") return { value: BigInt(size), checked: true };
    throw new CoreError(`${kind} cannot be asked of an array's element (in ${typeText(btf, root)}).`);
  }
  const owner = btf.type(last.type);
  const member = owner.kind === "struct" || owner.kind === "union" ? owner.members[last.index] : undefined;
  if (member === undefined) throw new CoreError(`${typeText(btf, last.type)} has no member ${last.index}.`);
  const typeId = btf.resolve(member.type);
  const type = btf.type(typeId);
  const bitField = member.bitSize > 0;
  const bits = bitField ? member.bitSize : btf.sizeOf(typeId) * 8;
  let bytes = btf.sizeOf(typeId);
  let offset = Math.floor(bitOffset / 8);
  if (bitField) {
    // The smallest load, aligned to its size, that has all of the bits.
    const align = () => Math.floor(bitOffset / 8 / bytes) * bytes;
    for (offset = align(); bitOffset + bits - offset * 8 > bytes * 8; offset = align()) {
      if (bytes >= 8) {
        throw new CoreError(
          `Bit-field ${member.name} of ${typeText(btf, last.type)} cannot be read with one load of 8 bytes.`,
        );
      }
      bytes *= 2;
    }
  }
  const checked = !bitField;
  switch (kind) {
    case "fieldByteOffset": {
      if (bitField) return { value: BigInt(offset), checked };
      return { value: BigInt(offset), checked, access: { size: elementSize(btf, typeId), type: typeId } };
    }
    case "fieldByteSize":
      return { value: BigInt(bytes), checked };
    case "fieldSigned": {
      const signed = (type.kind === "enum" || type.kind === "enum64" || type.kind === "int") && type.signed;
      return { value: signed ? 1n : 0n, checked: true };
    }
    case "fieldLeftShift": {
      const used = bitOffset - offset * 8;
      return { value: BigInt(btf.byteOrder === "little" ? 64 - (used + bits) : (8 - bytes) * 8 + used), checked };
    }
    case "fieldRightShift":
      return { value: BigInt(64 - bits), checked: true };
    case "fieldExists":
      return { value: 1n, checked: true };
  }
}

/** Bytes of what an array holds, whatever its dimensions; of the type itself when it is none. */
function elementSize(btf: Btf, id: number): number {
  let element = btf.resolve(id);
  for (let type = btf.type(element); type.kind === "array"; type = btf.type(element))
    element = btf.resolve(type.element);
  return btf.sizeOf(element);
}
