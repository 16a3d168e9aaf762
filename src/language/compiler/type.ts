/**
 * The types of kernel TypeScript as the compiler sees them: what a value is, how many bytes it takes where it is stored, and
 * for pointers where they come from (their provenance), because that decides how the kernel lets memory behind them be read.
 */
export type Type =
  | IntType
  | BoolType
  | VoidType
  | StringType
  | BytesType
  | ArrayType
  | StructType
  | KernelPointer
  | UserPointer
  | ReferenceType
  | CellType
  | OptionalType;

/** An integer. Arithmetic is done in 64 bits; `bits` is what is stored. */
export interface IntType {
  readonly kind: "int";
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
  /** Stored in network byte order; the value is in the machine's (`be16`, `be32`, `be64`). */
  readonly bigEndian?: true;
  /** The descriptor it was declared with decodes to a checked JavaScript number (`u64n`, `i64n`). */
  readonly decodesToNumber?: true;
  /** What arithmetic gave: `number` for tsc, which goes into any integer that it is proven to fit. */
  readonly plain?: true;
}

/** One byte, 0 or 1. */
export interface BoolType {
  readonly kind: "bool";
}

/** No value: what a function without `return x` gives, and the type of `undefined` alone. */
export interface VoidType {
  readonly kind: "void";
}

/** `char[size]` with a NUL-terminated text, the rest zero (`str(N)`). */
export interface StringType {
  readonly kind: "str";
  readonly size: number;
}

/** `u8[size]` (`bytes(N)`). */
export interface BytesType {
  readonly kind: "bytes";
  readonly size: number;
}

/** `element[length]` (`array(T, N)`), or an array in a kernel struct. */
export interface ArrayType {
  readonly kind: "array";
  readonly element: Type;
  readonly length: number;
}

/** A struct declared in kernel TypeScript: C layout; padding is always written as zero. */
export interface StructType {
  readonly kind: "struct";
  /** The name it was declared by; "" when it has none. */
  readonly name: string;
  readonly size: number;
  readonly align: number;
  readonly fields: readonly StructField[];
}

/** A field of a `StructType`; `offset` in bytes. */
export interface StructField {
  readonly name: string;
  readonly offset: number;
  readonly type: Type;
}

/**
 * The address of a kernel object whose type BTF knows: `.` reads its members. `trusted`: helpers and kfuncs take it;
 * `walked`: came from following pointers of a trusted one, may be read only; `plain`: an address from anywhere, read by cast
 * or probe_read. Reading through a null or stale pointer gives 0.
 */
export interface KernelPointer {
  readonly kind: "kernelPointer";
  /** Id of the struct, union or other type in the kernel's BTF; 0 when it is unknown (`void *`). */
  readonly type: number;
  /** Its name, for people. */
  readonly name: string;
  readonly trust: "trusted" | "walked" | "plain";
}

/** An address in the memory of the process at work; only userStr and readUser take it. */
export interface UserPointer {
  readonly kind: "userPointer";
}

/** The address of a value that may be read and written in place: of a map, a ring's record, a global. */
export interface ReferenceType {
  readonly kind: "reference";
  readonly to: Type;
  readonly memory: "map" | "ring" | "storage" | "packet";
}

/** What `ref(key)` gives for a scalar: `.value`, `.add(n)`, `.xchg(v)`, `.cas(old, v)`. The value of it is the address. */
export interface CellType {
  readonly kind: "cell";
  readonly of: IntType | BoolType;
  /** Per-CPU memory: no other CPU writes it. */
  readonly perCpu: boolean;
}

/** `T | undefined`. */
export interface OptionalType {
  readonly kind: "optional";
  readonly of: Type;
}

/** An integer type by its width and sign. */
function int(bits: IntType["bits"], signed: boolean): IntType {
  return { kind: "int", bits, signed };
}
export const U8: IntType = int(8, false);
export const U16: IntType = int(16, false);
export const U32: IntType = int(32, false);
export const U64: IntType = int(64, false);
export const I8: IntType = int(8, true);
export const I16: IntType = int(16, true);
export const I32: IntType = int(32, true);
export const I64: IntType = int(64, true);
export const BOOL: BoolType = { kind: "bool" };
export const VOID: VoidType = { kind: "void" };

/** Bytes that a value of the type takes in memory. */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case "int":
      return type.bits / 8;
    case "bool":
      return 1;
    case "void":
      return 0;
    case "str":
    case "bytes":
    case "struct":
      return type.size;
    case "array":
      return sizeOf(type.element) * type.length;
    case "optional":
      return sizeOf(type.of);
    default:
      return 8;
  }
}

/** What its address in memory must be a multiple of. */
export function alignOf(type: Type): number {
  switch (type.kind) {
    case "str":
    case "bytes":
    case "void":
      return 1;
    case "array":
      return alignOf(type.element);
    case "struct":
      return type.align;
    default:
      return sizeOf(type);
  }
}

/** Whether a value of it lives in memory instead of a register. */
export function isAggregate(type: Type): type is StringType | BytesType | ArrayType | StructType {
  return type.kind === "str" || type.kind === "bytes" || type.kind === "array" || type.kind === "struct";
}

/** The greatest number of a type: above it, arithmetic starts over. */
export function greatestOf({ bits, signed }: IntType): bigint {
  return (1n << BigInt(signed ? bits - 1 : bits)) - 1n;
}

/** The least number of a type. */
export function leastOf({ bits, signed }: IntType): bigint {
  return signed ? -(1n << BigInt(bits - 1)) : 0n;
}
