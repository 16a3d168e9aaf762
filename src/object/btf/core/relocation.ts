import type { Btf } from "../btf.ts";

/** What a CO-RE relocation asks for; the kinds' numbers and meanings are those of enum bpf_core_relo_kind (linux/bpf.h). */
export type RelocationKind = FieldKind | TypeKind | EnumValueKind;
export type FieldKind =
  | "fieldByteOffset"
  | "fieldByteSize"
  | "fieldExists"
  | "fieldSigned"
  | "fieldLeftShift"
  | "fieldRightShift";
export type TypeKind = "typeIdLocal" | "typeIdTarget" | "typeExists" | "typeSize" | "typeMatches";
export type EnumValueKind = "enumValueExists" | "enumValue";

/**
 * A CO-RE relocation: what an instruction asks of a type, a field or an enum value, for the kernel at hand to answer.
 */
export interface Relocation {
  readonly kind: RelocationKind;
  /** Id of the root type in the object's BTF. */
  readonly type: number;
  /** `0:1:2`. */
  readonly access: string;
}

/** A relocation that cannot be carried out, whatever the kernel is: the object is at odds with itself or the kernel ambiguous. */
export class CoreError extends Error {
  override readonly name = "CoreError";
  readonly code = "SKEP_CORE_RELOCATION";
}

export const isFieldKind = (kind: RelocationKind): kind is FieldKind => kind.startsWith("field");
export const isTypeKind = (kind: RelocationKind): kind is TypeKind => kind.startsWith("type");

/** `struct task_struct`, for people. */
export function typeText(btf: Btf, id: number): string {
  const type = btf.type(id);
  const keyword = type.kind === "enum64" ? "enum" : type.kind;
  const name = type.name === "" ? "(anonymous)" : type.name;
  return keyword === "struct" || keyword === "union" || keyword === "enum" ? `${keyword} ${name}` : name;
}
