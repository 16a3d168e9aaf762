import type { BitsLayout, Layout, StructLayout } from "./layout.ts";

/** How the fields of a decoder are read. */
export interface Reading {
  /** What every offset is a multiple of. */
  readonly align: number;
  /** The expression that reads a text. */
  readonly string: (size: number, at: string) => string;
  /** The expression that reads a bit-field of more than four bytes. */
  readonly wideBits: (field: BitsLayout, at: string) => string;
  /** Whether a 64-bit number must be read with one load. */
  readonly live: boolean;
}

/** The binary logarithm of the size of each view's elements. */
const SHIFTS = { u16: 1, i32: 2, u32: 2, u64: 3, i64: 3, f64: 3 };
/** The methods of a DataView that read the same elements where they are not aligned. */
const GETTERS = { u16: "getUint16", i32: "getInt32", u32: "getUint32", u64: "getBigUint64", i64: "getBigInt64" };

/** As many constants a function may have: they are all in its frame, and the largest layouts would have more than the stack. */
const MOST_CONSTANTS = 512;

/** A function or the body of a loop: what it declares, in order, before its value is made. */
interface Scope {
  readonly align: number;
  readonly constants: string[];
  /** The shifted offsets that it has. */
  readonly shifts: Set<number>;
}

/**
 * The code that reads a layout at the offset `o` of the memory `m`. What it costs is measured, and three things are as they
 * are for that:
 * - The index of an element is the shifted offset and a constant: the engine knows of a shifted number that it can be added to.
 * - Objects are made last, of constants. So nothing can happen between an object and its fields (another object made, the code
 *   given up for a value that was never there): no field is stored twice, and the collector need not hear of any store.
 * - A u32 or u64n is read as numbers with a sign, and made what it is if one is below zero: most are small integers as they are.
 * What is beyond the constants that a function may have is read where it is needed.
 */
export class DecoderCode {
  /** The views of the memory that are used, by name. */
  readonly views = new Set<string>();
  readonly #reading: Reading;
  #names = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** The body of a function of `o`. */
  body(layout: Layout): string {
    const scope: Scope = { align: this.#reading.align, constants: [], shifts: new Set() };
    const value = this.#value(layout, 0, scope);
    return `${declare(scope)}return ${value}`;
  }

  /** The expression of a value, which may be of constants. */
  #value(layout: Layout, offset: number, scope: Scope): string {
    const at = place(offset);
    switch (layout.kind) {
      case "u8":
        return `${this.#view("u8")}[${at}]`;
      case "i8":
        return `(${this.#view("u8")}[${at}]<<24>>24)`;
      case "bool":
        return `(${this.#view("u8")}[${at}]!==0)`;
      case "u16":
      case "i32":
      case "u64":
      case "i64":
        return this.#number(layout.kind, offset, scope);
      case "i16":
        return `(${this.#number("u16", offset, scope)}<<16>>16)`;
      case "u32": {
        if (isFull(scope)) return this.#number("u32", offset, scope);
        const signed = this.#constant(this.#number("i32", offset, scope), scope);
        return `(${signed}<0?${signed}+4294967296:${signed})`;
      }
      case "u64n":
        return this.#reading.live && isAligned(8, offset, scope)
          ? `once(${this.#element("f64", offset, scope)})`
          : this.#unsignedNumber(offset, scope);
      case "i64n":
        return this.#reading.live && isAligned(8, offset, scope)
          ? `sonce(${this.#element("i64", offset, scope)})`
          : this.#signedNumber(offset, scope);
      case "be16":
        return `${this.#view("view")}.getUint16(${at})`;
      case "be32":
        return `${this.#view("view")}.getUint32(${at})`;
      case "be64":
        return `${this.#view("view")}.getBigUint64(${at})`;
      case "bits":
        return this.#bits(layout, offset);
      case "bytes":
        return `${this.#view("u8")}.slice(${at},o+${offset + layout.size})`;
      case "str":
        if (!isAligned(4, offset, scope) || layout.size % 4 !== 0) return `text8(m,${at},${layout.size})`;
        return this.#reading.string(layout.size, at);
      case "array": {
        const { element, length } = layout;
        if (!isInline(layout)) return this.#loop(element, length, offset, scope);
        const items = Array.from({ length }, (_, i) => this.#part(element, offset + i * element.size, scope));
        return `[${items.join(",")}]`;
      }
      case "struct":
        return this.#object(layout, offset, scope);
    }
  }

  /** A part of an object or array: a constant, unless it is another one. */
  #part(layout: Layout, offset: number, scope: Scope): string {
    const value = this.#value(layout, offset, scope);
    return isInline(layout) || isFull(scope) ? value : this.#constant(value, scope);
  }

  #object({ fields }: StructLayout, offset: number, scope: Scope): string {
    const all = fields.map(({ name, layout, offset: within }) => {
      // In brackets, because "__proto__": in a literal would set the prototype.
      const key = name === "__proto__" ? '["__proto__"]' : JSON.stringify(name);
      return `${key}:${this.#part(layout, offset + within, scope)}`;
    });
    return `{${all.join(",")}}`;
  }

  /** Every element reads through one inner function at a moving offset, which is only as aligned as the steps are. */
  #loop(element: Layout, length: number, offset: number, { align }: Scope): string {
    const step = element.size;
    const inner: Scope = {
      align: [8, 4, 2, 1].find((n) => step % n === 0 && offset % n === 0 && align >= n) as number,
      constants: [],
      shifts: new Set(),
    };
    const i = this.#name();
    const value = this.#value(element, 0, inner);
    const body = `const o=b+${i}*${step};${declare(inner)}a[${i}]=${value}`;
    return `((b)=>{const a=new Array(${length});for(let ${i}=0;${i}<${length};${i}++){${body}}return a})(${place(offset)})`;
  }

  #bits(layout: BitsLayout, offset: number): string {
    if (layout.size > 4) return this.#reading.wideBits(layout, `o+${offset}`);
    const byte = (i: number) => `${this.#view("u8")}[o+${offset + i}]${i > 0 ? `<<${8 * i}` : ""}`;
    const bytes = Array.from({ length: layout.size }, (_, i) => byte(i));
    const left = 32 - layout.bits - layout.shift;
    const right = 32 - layout.bits;
    return `((${bytes.join("|")})<<${left}${layout.signed ? ">>" : ">>>"}${right})`;
  }

  #unsignedNumber(offset: number, scope: Scope): string {
    if (isFull(scope)) {
      const [lo, hi] = [this.#number("u32", offset, scope), this.#number("u32", offset + 4, scope)];
      return `(${hi}>0x1fffff?big(${lo},${hi}):${hi}*4294967296+${lo})`;
    }
    const [lo, hi] = this.#halves(offset, scope);
    return `(${hi}===0&&${lo}>=0?${lo}:${hi}>0x1fffff||${hi}<0?big(${lo}>>>0,${hi}>>>0):${hi}*4294967296+(${lo}>>>0))`;
  }

  #signedNumber(offset: number, scope: Scope): string {
    const full = isFull(scope);
    const [lo, hi] = full
      ? [this.#number("i32", offset, scope), this.#number("i32", offset + 4, scope)]
      : this.#halves(offset, scope);
    const far = `${hi}>0x1fffff||${hi}<-0x1fffff&&(${hi}!==-0x200000||${lo}===0)`;
    const value = `${far}?sbig(${lo}>>>0,${hi}):${hi}*4294967296+(${lo}>>>0)`;
    return full ? `(${value})` : `(${hi}===0&&${lo}>=0?${lo}:${value})`;
  }

  /** Both words of a 64-bit number, with signs. */
  #halves(offset: number, scope: Scope): [lo: string, hi: string] {
    return [
      this.#constant(this.#number("i32", offset, scope), scope),
      this.#constant(this.#number("i32", offset + 4, scope), scope),
    ];
  }

  #number(kind: keyof typeof GETTERS, offset: number, scope: Scope): string {
    return isAligned(1 << SHIFTS[kind], offset, scope)
      ? this.#element(kind, offset, scope)
      : `${this.#view("view")}.${GETTERS[kind]}(${place(offset)},true)`;
  }

  /** An element at an offset that is a multiple of its size. */
  #element(view: keyof typeof SHIFTS, offset: number, { constants, shifts }: Scope): string {
    // Doubles are no view of a memory.
    if (view !== "f64") this.#view(view);
    const shift = SHIFTS[view];
    if (!shifts.has(shift)) constants.push(`x${shift}=o>>>${shift}`);
    shifts.add(shift);
    const plus = offset >>> shift;
    return `${view}[x${shift}${plus > 0 ? `+${plus}` : ""}]`;
  }

  #view(name: string): string {
    this.views.add(name);
    return name;
  }

  #constant(value: string, { constants }: Scope): string {
    const name = this.#name();
    constants.push(`${name}=${value}`);
    return name;
  }

  #name(): string {
    return `v${this.#names++}`;
  }
}

/** Whether the value is an object or array that is written where it is needed. */
function isInline(layout: Layout): boolean {
  return layout.kind === "struct" || (layout.kind === "array" && layout.length <= 8);
}

function isAligned(to: number, offset: number, { align }: Scope): boolean {
  return align >= to && offset % to === 0;
}

function place(offset: number): string {
  return offset === 0 ? "o" : `o+${offset}`;
}

function isFull({ constants }: Scope): boolean {
  return constants.length >= MOST_CONSTANTS;
}

function declare({ constants }: Scope): string {
  return constants.length > 0 ? `const ${constants.join(",")};` : "";
}
