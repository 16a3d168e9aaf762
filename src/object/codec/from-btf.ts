import type { Btf, StructType } from "../btf/index.ts";
import {
  array,
  bool,
  bytes,
  type FieldLayout,
  i8,
  i16,
  i32,
  i64,
  type Layout,
  type ScalarLayout,
  type StructLayout,
  str,
  u8,
  u16,
  u32,
  u64,
} from "./layout.ts";

/** How deep structs and arrays may be nested. */
const DEPTH = 32;

const UNSIGNED: Readonly<Record<number, ScalarLayout>> = { 1: u8, 2: u16, 4: u32, 8: u64 };
const SIGNED: Readonly<Record<number, ScalarLayout>> = { 1: i8, 2: i16, 4: i32, 8: i64 };

/**
 * How values of a BTF type read: integers and enums as numbers, those of 64 bits and pointers as bigints, `bool` as
 * boolean, `char[]` as text, `unsigned char[]` as bytes, structs as objects with the members of unnamed structs among
 * their own. Unions, structs with bit-fields, floating point and integers of 128 bits read as raw bytes. Throws BtfError
 * for a type that has no size.
 */
export function layoutOf(btf: Btf, id: number): Layout {
  return layoutAt(btf, id, 0);
}

function layoutAt(btf: Btf, id: number, depth: number): Layout {
  const resolved = btf.resolve(id);
  const type = btf.type(resolved);
  const raw = () => bytes(btf.sizeOf(resolved));
  if (depth > DEPTH) return raw();
  switch (type.kind) {
    case "int":
      if (type.bool && type.size === 1) return bool;
      return (type.signed ? SIGNED : UNSIGNED)[type.size] ?? raw();
    case "enum":
    case "enum64":
      return (type.signed ? SIGNED : UNSIGNED)[type.size] ?? raw();
    case "pointer":
      return u64;
    case "array": {
      const element = btf.type(btf.resolve(type.element));
      if (element.kind === "int" && element.size === 1 && !element.bool)
        return element.char || element.name === "char"
          ? str(type.length)
          : element.signed
            ? array(i8, type.length)
            : bytes(type.length);
      return array(layoutAt(btf, type.element, depth + 1), type.length);
    }
    case "struct":
      return structAt(btf, type, depth);
    default:
      return raw();
  }
}

function structAt(btf: Btf, type: StructType, depth: number): Layout {
  const fields: FieldLayout[] = [];
  if (!addFields(btf, type, 0, depth, fields)) return bytes(type.size);
  const align = Math.max(1, ...fields.map(({ layout }) => layout.align));
  return { kind: "struct", size: type.size, align, fields } satisfies StructLayout;
}

/** False where the struct cannot be told apart into fields: it has bit-fields, or two of one name. */
function addFields(btf: Btf, type: StructType, base: number, depth: number, fields: FieldLayout[]): boolean {
  for (const { name, type: member, bitOffset, bitSize } of type.members) {
    if (bitSize > 0 || bitOffset % 8 !== 0) return false;
    const offset = base + bitOffset / 8;
    const inner = btf.type(btf.resolve(member));
    if (name === "" && inner.kind === "struct") {
      if (depth > DEPTH || !addFields(btf, inner, offset, depth + 1, fields)) return false;
      continue;
    }
    // An unnamed union, or a name that JavaScript would move to the front.
    if (name === "" || /^(0|[1-9]\d*)$/.test(name) || fields.some((field) => field.name === name)) return false;
    fields.push({ name, offset, layout: layoutAt(btf, member, depth + 1) });
  }
  return true;
}
