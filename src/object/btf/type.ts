/**
 * BTF types as plain data (Documentation/bpf/btf.rst). Types name each other by id; 0 is void. Names are "" where there
 * is none. Sizes and offsets are in bytes unless they say bits.
 */
export type BtfType =
  | VoidType
  | IntType
  | PointerType
  | ArrayType
  | StructType
  | EnumType
  | ForwardType
  | TypedefType
  | QualifierType
  | FunctionType
  | PrototypeType
  | VariableType
  | SectionType
  | FloatType
  | DeclTagType
  | TypeTagType;

export type BtfKind = BtfType["kind"];

export interface VoidType {
  readonly kind: "void";
  readonly name: "";
}

export interface IntType {
  readonly kind: "int";
  readonly name: string;
  readonly size: number;
  /** Bits that count, from `bitOffset` on; `size * 8` and 0 but for the bit-fields of old compilers. */
  readonly bits: number;
  readonly bitOffset: number;
  readonly signed: boolean;
  readonly char: boolean;
  readonly bool: boolean;
}

export interface PointerType {
  readonly kind: "pointer";
  readonly name: "";
  readonly type: number;
}

export interface ArrayType {
  readonly kind: "array";
  readonly name: "";
  readonly element: number;
  readonly index: number;
  readonly length: number;
}

export interface Member {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 for a member that is no bit-field. */
  readonly bitSize: number;
}

export interface StructType {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  readonly members: readonly Member[];
}

export interface EnumType {
  readonly kind: "enum" | "enum64";
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  /** Numbers in an `enum`, bigints in an `enum64`. */
  readonly values: readonly { readonly name: string; readonly value: number | bigint }[];
}

/** `struct x;` or `union x;` without a body. */
export interface ForwardType {
  readonly kind: "forward";
  readonly name: string;
  readonly union: boolean;
}

export interface TypedefType {
  readonly kind: "typedef";
  readonly name: string;
  readonly type: number;
}

export interface QualifierType {
  readonly kind: "volatile" | "const" | "restrict";
  readonly name: "";
  readonly type: number;
}

export type Linkage = "static" | "global" | "extern";

export interface FunctionType {
  readonly kind: "function";
  readonly name: string;
  /** Id of a `prototype`. */
  readonly type: number;
  readonly linkage: Linkage;
}

export interface PrototypeType {
  readonly kind: "prototype";
  readonly name: "";
  readonly result: number;
  /** A last parameter of type 0 without a name stands for `...`. */
  readonly parameters: readonly { readonly name: string; readonly type: number }[];
}

export interface VariableType {
  readonly kind: "variable";
  readonly name: string;
  readonly type: number;
  readonly linkage: Linkage;
}

export interface SectionType {
  readonly kind: "section";
  readonly name: string;
  readonly size: number;
  /** `type` is the id of a `variable` (or, in `.ksyms`, of a `function`). */
  readonly variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
}

export interface FloatType {
  readonly kind: "float";
  readonly name: string;
  readonly size: number;
}

export interface DeclTagType {
  readonly kind: "declTag";
  /** The tag's text. */
  readonly name: string;
  readonly type: number;
  /** Index of the member or parameter it is on; −1 for the type itself. */
  readonly component: number;
  /** There, and true, where the text is a whole attribute and no `btf_decl_tag` (Linux 6.14). */
  readonly attribute?: true;
}

export interface TypeTagType {
  readonly kind: "typeTag";
  /** The tag's text. */
  readonly name: string;
  readonly type: number;
  /** There, and true, where the text is a whole attribute (`address_space(1)`) and no `btf_type_tag` (Linux 6.14). */
  readonly attribute?: true;
}
