import { type Btf, BtfError, type BtfType, type DeclTagType, type StructType } from "../btf/index.ts";
import { bitsAt } from "./bits.ts";
import {
  array,
  be16,
  be32,
  be64,
  bool,
  bytes,
  type FieldLayout,
  i8,
  i64n,
  intLayout,
  type Layout,
  type ScalarLayout,
  type StructLayout,
  str,
  u64,
  u64n,
} from "./layout.ts";

/** How deep types may be nested; what is deeper reads as bytes. */
const DEPTH = 32;

/** Values of so many parts that reading them is no use; they read as bytes. */
const MOST_PARTS = 4096;

/** How the integer behind a typedef of this name reads, where the typedef has a tag `skep:NAME`. */
const TAGGED: Readonly<Record<string, ScalarLayout>> = { be16, be32, be64, u64n, i64n };

/**
 * How values of a BTF type read: integers and enums as numbers, those of 64 bits and pointers as bigints, `bool` as
 * boolean, `char[]` as text, `unsigned char[]` as bytes, structs as objects with the members of unnamed structs and unions
 * among their own, unions as objects with all members, bit-fields as numbers. Floating point, integers of 128 bits and
 * values of more than 4096 parts read as raw bytes. A typedef `be32` with the tag `skep:be32` reads as that layout does, and so do
 * `be16`, `be64`, `u64n`, `i64n`. Throws BtfError for a type that has no size. Numbers are in the machine's own byte order.
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
  #depth = 0;

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  of(id: number): Made {
    const tagged = this.#tagged(id);
    if (tagged !== undefined) return { layout: tagged, parts: 1 };
    const resolved = this.#btf.resolve(id);
    const known = this.#made.get(resolved);
    if (known !== undefined) return known;
    if (this.#made.has(resolved)) throw new BtfError(`Type ${resolved} holds itself: it has no size.`);
    this.#made.set(resolved, undefined);
    this.#depth++;
    const made = this.#depth > DEPTH ? { layout: bytes(this.#btf.sizeOf(resolved)), parts: 1 } : this.#make(resolved);
    this.#depth--;
    this.#made.set(resolved, made);
    return made;
  }

  /** What a typedef on the way to the type says of how it reads. */
  #tagged(id: number): ScalarLayout | undefined {
    const btf = this.#btf;
    for (let at = id, steps = 0; steps < DEPTH; steps++) {
      const type = btf.type(at);
      if (type.kind === "typedef") {
        const layout = Object.hasOwn(TAGGED, type.name) ? TAGGED[type.name] : undefined;
        const isTagged = () =>
          btf.findAll(`skep:${type.name}`, "declTag").some((tag) => {
            const { type: of, component } = btf.type(tag) as DeclTagType;
            return of === at && component === -1;
          });
        if (layout !== undefined && isTagged() && btf.sizeOf(type.type) === layout.size) return layout;
      } else if (type.kind !== "const" && type.kind !== "volatile" && type.kind !== "typeTag") return undefined;
      at = type.type;
    }
    return undefined;
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
        return one(intLayout(type.size, type.signed) ?? bytes(type.size));
      case "enum":
      case "enum64":
        return one(intLayout(type.size, type.signed) ?? bytes(type.size));
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
      case "struct":
      case "union": {
        const fields = new Fields();
        if (!this.#addFields(type, { base: 0, size: type.size, depth: 0, choice: undefined }, fields)) return raw();
        const all = [...fields.named.values()];
        // Bytes of a union are only aligned as one of its members is.
        const align = Math.max(1, ...all.map(({ layout }) => layout.align));
        const layout: StructLayout = {
          kind: "struct",
          size: type.size,
          align,
          fields: all,
          ...(all.some((field) => field.choice !== undefined || field.layout.kind === "bits") && {
            overlapping: true as const,
          }),
        };
        return { layout, parts: fields.parts };
      }
      default:
        return raw();
    }
  }

  /**
   * Adds the members of a struct or union, those of unnamed ones inside it as well. False where it cannot be told apart into
   * fields: two have one name, one lies beyond its end, there are too many.
   */
  #addFields(type: StructType, at: Place, fields: Fields): boolean {
    if (++fields.visits > MOST_PARTS) return false;
    // A union inside a union is one more way to read the same bytes.
    const choice = at.choice ?? (type.kind === "union" ? fields.choices++ : undefined);
    for (const member of type.members) {
      const { name, bitOffset } = member;
      const inner = this.#btf.type(this.#btf.resolve(member.type));
      if (name === "" && (inner.kind === "struct" || inner.kind === "union")) {
        if (at.depth > DEPTH || bitOffset % 8 !== 0) return false;
        const place = { base: at.base + bitOffset / 8, size: at.size, depth: at.depth + 1, choice };
        if (!this.#addFields(inner, place, fields)) return false;
        continue;
      }
      const bits = bitsOf(member.bitSize, inner);
      // Padding of so many bits; old compilers leave it out.
      if (name === "" && bits !== undefined) continue;
      // A name that JavaScript would move to the front.
      if (name === "" || /^(0|[1-9]\d*)$/.test(name) || fields.named.has(name)) return false;
      let field: { offset: number; layout: Layout };
      if (bits !== undefined) {
        field = bitsAt(at.base * 8 + bitOffset + bits.skip, bits.count, bits.signed);
        fields.parts++;
      } else {
        if (bitOffset % 8 !== 0) return false;
        const made = this.of(member.type);
        field = { offset: at.base + bitOffset / 8, layout: made.layout };
        fields.parts += made.parts;
      }
      if (field.offset + field.layout.size > at.size || fields.parts > MOST_PARTS) return false;
      fields.named.set(name, { name, ...field, ...(choice !== undefined && { choice }) });
    }
    return true;
  }
}

/** Where the members of a struct stand in the whole. */
interface Place {
  readonly base: number;
  readonly size: number;
  readonly depth: number;
  /** The union it is a part of. */
  readonly choice: number | undefined;
}

class Fields {
  readonly named = new Map<string, FieldLayout>();
  parts = 0;
  choices = 0;
  visits = 0;
}

/** What a bit-field has: bits counted by the member, or an integer of fewer bits than its bytes have, as old compilers do. */
function bitsOf(bitSize: number, type: BtfType): { count: number; skip: number; signed: boolean } | undefined {
  if (type.kind !== "int" && type.kind !== "enum" && type.kind !== "enum64") return undefined;
  if (bitSize > 0 && bitSize <= 64) return { count: bitSize, skip: 0, signed: type.signed };
  if (type.kind !== "int" || (type.bits === type.size * 8 && type.bitOffset === 0)) return undefined;
  return type.bits > 0 && type.bits <= 64 ? { count: type.bits, skip: type.bitOffset, signed: type.signed } : undefined;
}
