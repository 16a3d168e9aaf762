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

/** The kinds of types by name: what `kind` of a `BtfType` says. */
export type BtfKind = BtfType["kind"];

/** No type: id 0 of every table. */
export interface VoidType {
  readonly kind: "void";
  readonly name: "";
}

/** An integer, a character or a bool (BTF_KIND_INT). `size` in bytes. */
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

/** A pointer to the type with the id `type`; to 0 for `void *` (BTF_KIND_PTR). */
export interface PointerType {
  readonly kind: "pointer";
  readonly name: "";
  readonly type: number;
}

/** An array: `length` times the type `element`; `index` is the type that counts them (BTF_KIND_ARRAY). */
export interface ArrayType {
  readonly kind: "array";
  readonly name: "";
  readonly element: number;
  readonly index: number;
  readonly length: number;
}

/** A member of a struct or union. `bitOffset` in bits from its beginning, `type` an id. */
export interface Member {
  readonly name: string;
  readonly type: number;
  readonly bitOffset: number;
  /** 0 for a member that is no bit-field. */
  readonly bitSize: number;
}

/** A struct or union with its members in order; `size` in bytes (BTF_KIND_STRUCT, BTF_KIND_UNION). */
export interface StructType {
  readonly kind: "struct" | "union";
  readonly name: string;
  readonly size: number;
  readonly members: readonly Member[];
}

/** An enum, or one whose values may have 64 bits; `size` in bytes (BTF_KIND_ENUM; BTF_KIND_ENUM64, Linux 6.0). */
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

/** Another name for the type with the id `type` (BTF_KIND_TYPEDEF). */
export interface TypedefType {
  readonly kind: "typedef";
  readonly name: string;
  readonly type: number;
}

/** The type with the id `type`, qualified (BTF_KIND_VOLATILE, BTF_KIND_CONST, BTF_KIND_RESTRICT). */
export interface QualifierType {
  readonly kind: "volatile" | "const" | "restrict";
  readonly name: "";
  readonly type: number;
}

/** Who can see a function or a variable: its file, or all; `extern` is one of somebody else. */
export type Linkage = "static" | "global" | "extern";

/** A function by name; what it takes and gives is in its prototype (BTF_KIND_FUNC, Linux 5.0). */
export interface FunctionType {
  readonly kind: "function";
  readonly name: string;
  /** Id of a `prototype`. */
  readonly type: number;
  readonly linkage: Linkage;
}

/** What a function takes and gives: `result` is the id of the type, 0 for void (BTF_KIND_FUNC_PROTO, Linux 5.0). */
export interface PrototypeType {
  readonly kind: "prototype";
  readonly name: "";
  readonly result: number;
  /** A last parameter of type 0 without a name stands for `...`. */
  readonly parameters: readonly { readonly name: string; readonly type: number }[];
}

/** A global variable of the type with the id `type` (BTF_KIND_VAR, Linux 5.2). */
export interface VariableType {
  readonly kind: "variable";
  readonly name: string;
  readonly type: number;
  readonly linkage: Linkage;
}

/** A section of an object file and the variables in it; offsets and sizes in bytes (BTF_KIND_DATASEC, Linux 5.2). */
export interface SectionType {
  readonly kind: "section";
  readonly name: string;
  readonly size: number;
  /** `type` is the id of a `variable` (or, in `.ksyms`, of a `function`). */
  readonly variables: readonly { readonly type: number; readonly offset: number; readonly size: number }[];
}

/** A floating-point number; `size` in bytes (BTF_KIND_FLOAT, Linux 5.13). */
export interface FloatType {
  readonly kind: "float";
  readonly name: string;
  readonly size: number;
}

/** A tag on the declaration with the id `type`, or on a member or parameter of it (BTF_KIND_DECL_TAG, Linux 5.16). */
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

/** A tag on the type with the id `type` (BTF_KIND_TYPE_TAG, Linux 5.17). */
export interface TypeTagType {
  readonly kind: "typeTag";
  /** The tag's text. */
  readonly name: string;
  readonly type: number;
  /** There, and true, where the text is a whole attribute (`address_space(1)`) and no `btf_type_tag` (Linux 6.14). */
  readonly attribute?: true;
}
