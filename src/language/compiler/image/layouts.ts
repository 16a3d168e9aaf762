import {
  array,
  be16,
  be32,
  be64,
  bool,
  bytes,
  i64n,
  intLayout,
  type Layout,
  type ScalarLayout,
  str,
  u8,
  u64,
  u64n,
} from "../../../object/codec/index.ts";
import type { IntType, Type } from "../type.ts";

const NETWORK: Readonly<Partial<Record<IntType["bits"], ScalarLayout>>> = { 16: be16, 32: be32, 64: be64 };

/** How values of a type read in user space. Addresses read as their numbers. */
export function layoutOfType(type: Type): Layout {
  switch (type.kind) {
    case "int":
      return layoutOfInt(type);
    case "bool":
      return bool;
    case "str":
      return str(type.size);
    case "bytes":
      return bytes(type.size);
    case "array":
      return array(layoutOfType(type.element), type.length);
    case "struct":
      return {
        kind: "struct",
        size: type.size,
        align: type.align,
        fields: type.fields.map(({ name, offset, type: field }) => ({ name, offset, layout: layoutOfType(field) })),
      };
    case "optional":
      return layoutOfType(type.of);
    default:
      return u64;
  }
}

function layoutOfInt({ bits, signed, bigEndian, decodesToNumber }: IntType): ScalarLayout {
  if (bigEndian === true) return NETWORK[bits] ?? u8;
  if (decodesToNumber === true && bits === 64) return signed ? i64n : u64n;
  return intLayout((bits / 8) as 1 | 2 | 4 | 8, signed);
}
