import { type Btf, BtfError, type StructType } from "../btf/index.ts";
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

/** How deep unnamed structs may be nested. */
const DEPTH = 32;

/** Values of so many parts that reading them is no use; they read as bytes. */
const MOST_PARTS = 4096;

const UNSIGNED: Readonly<Record<number, ScalarLayout>> = { 1: u8, 2: u16, 4: u32, 8: u64 };
const SIGNED: Readonly<Record<number, ScalarLayout>> = { 1: i8, 2: i16, 4: i32, 8: i64 };

/**
 * How values of a BTF type read: integers and enums as numbers, those of 64 bits and pointers as bigints, `bool` as
 * boolean, `char[]` as text, `unsigned char[]` as bytes, structs as objects with the members of unnamed structs among
 * their own. Unions, structs with bit-fields, floating point, integers of 128 bits and values of more than 4096 parts read as
 * raw bytes. Throws BtfError for a type that has no size. Numbers are in the machine's own byte order.
 */
export function layoutOf(btf: Btf, id: number): Layout {
  return new Layouts(btf).of(id).layout;
}

/** A layout, and how many numbers and texts a value of it has. */
interface Made {
  readonly layout: Layout;
  readonly parts: number;
}

/** Layouts of one table of types, each made once: a type that many hold must not be gone through for each of them. */
class Layouts {
  readonly #btf: Btf;
  readonly #made = new Map<number, Made | undefined>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  of(id: number): Made {
    const resolved = this.#btf.resolve(id);
    const known = this.#made.get(resolved);
    if (known !== undefined) return known;
    if (this.#made.has(resolved)) throw new BtfError(`Type ${resolved} holds itself: it has no size.`);
    this.#made.set(resolved, undefined);
    const made = this.#make(resolved);
    this.#made.set(resolved, made);
    return made;
  }

  #make(id: number): Made {
    const btf = this.#btf;
    const type = btf.type(id);
    const one = (layout: Layout): Made => ({ layout, parts: 1 });
    const raw = () => one(bytes(btf.sizeOf(id)));
    switch (type.kind) {
      case "int":
        if (type.bool && type.size === 1) return one(bool);
        // Fewer bits than its bytes have: how compilers once wrote bit-fields.
        if (type.bitOffset !== 0 || type.bits !== type.size * 8) return raw();
        return one((type.signed ? SIGNED : UNSIGNED)[type.size] ?? bytes(type.size));
      case "enum":
      case "enum64":
        return one((type.signed ? SIGNED : UNSIGNED)[type.size] ?? bytes(type.size));
      case "pointer":
        return one(u64);
      case "array": {
        const element = btf.type(btf.resolve(type.element));
        if (element.kind === "int" && element.size === 1 && !element.bool) {
          if (element.char || element.name === "char") return one(str(type.length));
          return one(element.signed ? array(i8, type.length) : bytes(type.length));
        }
        const { layout, parts } = this.of(type.element);
        return parts > MOST_PARTS ? raw() : { layout: array(layout, type.length), parts };
      }
      case "struct": {
        const fields = new Map<string, FieldLayout>();
        const parts = this.#addFields(type, 0, type.size, fields, 0);
        if (parts === undefined || parts > MOST_PARTS) return one(bytes(type.size));
        const align = Math.max(1, ...[...fields.values()].map(({ layout }) => layout.align));
        const layout = { kind: "struct", size: type.size, align, fields: [...fields.values()] } satisfies StructLayout;
        return { layout, parts };
      }
      default:
        return raw();
    }
  }

  /**
   * How many parts the fields have; undefined where the struct cannot be told apart into fields: it has bit-fields, two
   * fields of one name, or one that lies beyond its end.
   */
  #addFields(
    type: StructType,
    base: number,
    size: number,
    fields: Map<string, FieldLayout>,
    depth: number,
  ): number | undefined {
    let parts = 0;
    for (const { name, type: member, bitOffset, bitSize } of type.members) {
      if (bitSize > 0 || bitOffset % 8 !== 0 || parts > MOST_PARTS) return undefined;
      const offset = base + bitOffset / 8;
      const inner = this.#btf.type(this.#btf.resolve(member));
      if (name === "" && inner.kind === "struct") {
        const more = depth > DEPTH ? undefined : this.#addFields(inner, offset, size, fields, depth + 1);
        if (more === undefined) return undefined;
        parts += more;
        continue;
      }
      // An unnamed union, or a name that JavaScript would move to the front.
      if (name === "" || /^(0|[1-9]\d*)$/.test(name) || fields.has(name)) return undefined;
      const made = this.of(member);
      if (offset + made.layout.size > size) return undefined;
      fields.set(name, { name, offset, layout: made.layout });
      parts += made.parts;
    }
    return parts;
  }
}
