/** An integer type, by the word for it. */
export interface Int {
  readonly kind: "int";
  readonly word: string;
  readonly bits: 8 | 16 | 32 | 64;
  readonly signed: boolean;
}
export interface Struct {
  readonly kind: "struct";
  readonly name: string;
  readonly fields: readonly { readonly name: string; readonly type: Type }[];
}
export interface Text {
  readonly kind: "str";
  readonly size: number;
}
export interface Raw {
  readonly kind: "bytes";
  readonly size: number;
}
export interface List {
  readonly kind: "array";
  readonly of: Type;
  readonly length: number;
}
export type Type = Int | { readonly kind: "bool" } | Text | Raw | List | Struct;

function int(word: string, bits: Int["bits"], signed: boolean): Int {
  return { kind: "int", word, bits, signed };
}

export const U8 = int("u8", 8, false);
export const U16 = int("u16", 16, false);
export const U32 = int("u32", 32, false);
export const U64 = int("u64", 64, false);
export const I8 = int("i8", 8, true);
export const I16 = int("i16", 16, true);
export const I32 = int("i32", 32, true);
export const I64 = int("i64", 64, true);
export const BOOL = { kind: "bool" } as const;
/** Those that variables have. */
export const INTS: readonly Int[] = [U8, U16, U32, U64, I8, I16, I32, I64];
/** Those that are stored only: in a program they are the type beside them. */
export const STORED: readonly (readonly [word: string, value: Int])[] = [
  ["be16", U16],
  ["be32", U32],
  ["be64", U64],
  ["u64n", U64],
  ["i64n", I64],
];

/** How a type is written where a descriptor stands; integers that are stored otherwise keep their word. */
export function descriptor(type: Type): string {
  switch (type.kind) {
    case "int":
      return type.word;
    case "bool":
      return "bool";
    case "str":
    case "bytes":
      return `${type.kind}(${type.size})`;
    case "array":
      return `array(${descriptor(type.of)}, ${type.length})`;
    case "struct":
      return type.name;
  }
}

/** How it is written where an annotation stands; undefined where there is no way to. */
export function annotation(type: Type): string | undefined {
  switch (type.kind) {
    case "int":
      return valueType(type).word;
    case "bool":
      return "boolean";
    case "str":
      return `Str<${type.size}>`;
    case "bytes":
      return `Bytes<${type.size}>`;
    case "struct":
      return `Kernel<typeof ${type.name}>`;
    case "array":
      return undefined;
  }
}

/** What an integer is in a program, however it is stored. */
export function valueType(type: Int): Int {
  return STORED.find(([word]) => word === type.word)?.[1] ?? type;
}

export function sameType(a: Type, b: Type): boolean {
  if (a === b) return true;
  if (a.kind === "int" || b.kind === "int") return a.kind === "int" && b.kind === "int" && a.word === b.word;
  return descriptor(a) === descriptor(b);
}

/** Bytes of it, about. */
export function sizeOf(type: Type): number {
  switch (type.kind) {
    case "int":
      return type.bits / 8;
    case "bool":
      return 1;
    case "str":
    case "bytes":
      return type.size;
    case "array":
      return sizeOf(type.of) * type.length;
    case "struct":
      return type.fields.reduce((sum, field) => sum + Math.max(sizeOf(field.type), 4), 0);
  }
}
