import { readBits } from "./bits.ts";
import { CodecError } from "./codec-error.ts";
import type { BitsLayout, Infer, Layout } from "./layout.ts";
import { doublesOf, type Memory } from "./memory.ts";
import { makeStringReader } from "./string-reader.ts";
import { makeTextReader, readText } from "./text.ts";

/** Reads one value at a byte offset of a memory. */
export type Decoder<T> = (memory: Memory, offset: number) => T;

export interface DecoderOptions {
  /** What every offset the decoder is called with is a multiple of; 8 for maps and ring buffers, 4 for perf samples. */
  readonly align?: 1 | 2 | 4 | 8;
}

/**
 * Makes the decoder of a layout: one function, generated for just this layout, in which every field is a typed-array
 * load at a constant offset. Where the process forbids code generation from strings, an equal closure is made instead.
 */
export function makeDecoder<L extends Layout>(layout: L, options: DecoderOptions = {}): Decoder<Infer<L>> {
  const decode = generate(layout, options.align ?? 8, undefined);
  return (
    (decode as Decoder<Infer<L>> | undefined) ?? ((memory, offset) => readSlowly(layout, memory, offset) as Infer<L>)
  );
}

export interface BoundDecoderOptions extends DecoderOptions {
  /** Somebody may write to the memory while it is read: each 64-bit number is read at once, and texts are not kept. */
  readonly live?: boolean;
}

/**
 * The same for one memory alone, as a ring buffer has: its views are constants to the engine, so a field costs one load
 * and nothing else.
 */
export function makeBoundDecoder<L extends Layout>(
  layout: L,
  memory: Memory,
  options: BoundDecoderOptions = {},
): (offset: number) => Infer<L> {
  const decode = generate(layout, options.align ?? 8, memory, options.live);
  return (
    (decode as ((offset: number) => Infer<L>) | undefined) ??
    ((offset) => readSlowly(layout, memory, offset) as Infer<L>)
  );
}

/** Undefined where code generation is forbidden. */
function generate(layout: Layout, align: number, memory: Memory | undefined, live = false): unknown {
  const parts: Record<string, unknown> = { big: bigUnsigned, sbig: bigSigned, text8: readText };
  const bound = memory !== undefined;
  let strings = 0;
  try {
    const string = (size: number, at: string) => {
      const name = `s${strings++}`;
      if (live && bound) {
        parts[name] = makeTextReader(memory);
        return `${name}(${at},${size})`;
      }
      parts[name] = bound ? makeStringReader(size, memory) : makeStringReader(size);
      return `${name}(${bound ? at : `m,${at}`})`;
    };
    let fields = 0;
    const wideBits = (field: BitsLayout, at: string) => {
      const name = `b${fields++}`;
      parts[name] = (m: Memory, o: number) => readBits(field, m, o);
      return `${name}(m,${at})`;
    };
    const views = new Set<string>();
    const indices = new Set<string>();
    const expression = readExpression(layout, 0, { align, string, wideBits, live, views, indices }, 0);
    // Only what is used: the engine takes a function into a loop by how short it is, too.
    const taken = views.size > 0 ? `const {${[...views].join(",")}}=m;` : "";
    const body = bound
      ? `${taken}return function decode(o){${declare(indices)}return ${expression}}`
      : `return function decode(m,o){${taken}${declare(indices)}return ${expression}}`;
    if (bound) parts["m"] = memory;
    if (live && bound) Object.assign(parts, { once: readOnce(), f64: doublesOf(memory), sonce: readSignedOnce });
    return new Function(...Object.keys(parts), body)(...Object.values(parts));
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return undefined;
  }
}

/** How the fields of a decoder are read. */
interface Reading {
  /** What every offset is a multiple of. */
  readonly align: number;
  /** The expression that reads a text. */
  readonly string: (size: number, at: string) => string;
  /** The expression that reads a bit-field of more than four bytes. */
  readonly wideBits: (field: BitsLayout, at: string) => string;
  /** Whether a 64-bit number must be read with one load. */
  readonly live: boolean;
  /** The views of the memory that are used, and the steps of those that have an index of their own (see `element`). */
  readonly views: Set<string>;
  readonly indices: Set<string>;
}

/** How many times an offset is halved to be the index of a view. */
const SHIFTS = { u16: 1, i32: 2, u32: 2, u64: 3, i64: 3, f64: 3 };

/**
 * An element at an offset that is a multiple of its size. The index is the shifted offset and a constant, not the offset and a
 * constant shifted: the engine knows of a shifted number that it can be added to, and has nothing to check.
 */
function element(view: keyof typeof SHIFTS, offset: number, { views, indices }: Reading): string {
  const shift = SHIFTS[view];
  // Doubles are no view of a memory: see `generate`.
  if (view !== "f64") views.add(view);
  indices.add(`x${shift}=o>>>${shift}`);
  const index = offset >>> shift;
  return index === 0 ? `${view}[x${shift}]` : `${view}[x${shift}+${index}]`;
}

function declare(indices: ReadonlySet<string>): string {
  return indices.size > 0 ? `const ${[...indices].join(",")};` : "";
}

/** A 64-bit number out of the double whose bits it is: a double is read with one load, and no bigint is made of it. */
function readOnce(): (bits: number) => number {
  const bits = new Float64Array(1);
  const words = new Uint32Array(bits.buffer);
  return (double) => {
    bits[0] = double;
    const lo = words[0] as number;
    const hi = words[1] as number;
    // Only numbers above 2^53 look like a NaN, whose bits the engine may change.
    return hi > 0x1fffff ? bigUnsigned(lo, hi) : hi * 0x100000000 + lo;
  };
}

function readSignedOnce(value: bigint): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : bigSigned(Number(BigInt.asUintN(32, value)), Number(value >> 32n));
}

function readExpression(layout: Layout, offset: number, reading: Reading, depth: number): string {
  const { align, string, wideBits, live, views } = reading;
  const used = (view: "u8" | "view") => {
    views.add(view);
    return view;
  };
  const at = offset === 0 ? "o" : `o+${offset}`;
  const aligned = (to: number) => align >= to && offset % to === 0;
  const atOnce = live && aligned(8);
  const of = (view: keyof typeof SHIFTS, plus = 0) => element(view, offset + plus, reading);
  switch (layout.kind) {
    case "u8":
      return `${used("u8")}[${at}]`;
    case "i8":
      return `(${used("u8")}[${at}]<<24>>24)`;
    case "bool":
      return `(${used("u8")}[${at}]!==0)`;
    case "u16":
      return aligned(2) ? of("u16") : `${used("view")}.getUint16(${at},true)`;
    case "i16":
      return aligned(2) ? `(${of("u16")}<<16>>16)` : `${used("view")}.getInt16(${at},true)`;
    case "u32":
      return aligned(4) ? of("u32") : `${used("view")}.getUint32(${at},true)`;
    case "i32":
      return aligned(4) ? of("i32") : `${used("view")}.getInt32(${at},true)`;
    case "u64":
      return aligned(8) ? of("u64") : `${used("view")}.getBigUint64(${at},true)`;
    case "i64":
      return aligned(8) ? of("i64") : `${used("view")}.getBigInt64(${at},true)`;
    case "u64n": {
      if (atOnce) return `once(${of("f64")})`;
      const [lo, hi] = aligned(4)
        ? [of("u32"), of("u32", 4)]
        : [`${used("view")}.getUint32(${at},true)`, `${used("view")}.getUint32(o+${offset + 4},true)`];
      return `(${hi}===0?${lo}:${hi}>0x1fffff?big(${lo},${hi}):${hi}*4294967296+${lo})`;
    }
    case "i64n": {
      if (atOnce) return `sonce(${of("i64")})`;
      const [lo, hi] = aligned(4)
        ? [of("u32"), of("i32", 4)]
        : [`${used("view")}.getUint32(${at},true)`, `${used("view")}.getInt32(o+${offset + 4},true)`];
      return `(${hi}>0x1fffff||${hi}<-0x1fffff&&(${hi}!==-0x200000||${lo}===0)?sbig(${lo},${hi}):${hi}*4294967296+${lo})`;
    }
    case "be16":
      return `${used("view")}.getUint16(${at})`;
    case "be32":
      return `${used("view")}.getUint32(${at})`;
    case "be64":
      return `${used("view")}.getBigUint64(${at})`;
    case "bits": {
      if (layout.size > 4) return wideBits(layout, at);
      const bytes = Array.from(
        { length: layout.size },
        (_, i) => `${used("u8")}[o+${offset + i}]${i > 0 ? `<<${8 * i}` : ""}`,
      );
      const left = 32 - layout.bits - layout.shift;
      const right = 32 - layout.bits;
      return `((${bytes.join("|")})<<${left}${layout.signed ? ">>" : ">>>"}${right})`;
    }
    case "bytes":
      return `${used("u8")}.slice(${at},o+${offset + layout.size})`;
    case "str":
      if (!aligned(4) || layout.size % 4 !== 0) return `text8(m,${at},${layout.size})`;
      return string(layout.size, at);
    case "array": {
      if (layout.length <= 8) {
        const items = Array.from({ length: layout.length }, (_, i) =>
          readExpression(layout.element, offset + i * layout.element.size, reading, depth),
        );
        return `[${items.join(",")}]`;
      }
      // Every element reads through one inner function at a moving offset, which is only as aligned as the steps are.
      const step = layout.element.size;
      const inner = [8, 4, 2, 1].find((n) => step % n === 0 && offset % n === 0 && align >= n) as 1 | 2 | 4 | 8;
      const i = `i${depth}`;
      const indices = new Set<string>();
      const one = readExpression(layout.element, 0, { ...reading, align: inner, indices }, depth + 1);
      return `((b)=>{const a=new Array(${layout.length});for(let ${i}=0;${i}<${layout.length};${i}++){const o=b+${i}*${step};${declare(indices)}a[${i}]=${one}}return a})(${at})`;
    }
    case "struct":
      return `{${layout.fields
        // In brackets, because "__proto__": in a literal would set the prototype.
        .map(
          (f) =>
            `${f.name === "__proto__" ? '["__proto__"]' : JSON.stringify(f.name)}:${readExpression(f.layout, offset + f.offset, reading, depth)}`,
        )
        .join(",")}}`;
  }
}

/** The same values without generated code. */
function readSlowly(layout: Layout, m: Memory, o: number): unknown {
  const { view } = m;
  switch (layout.kind) {
    case "u8":
      return view.getUint8(o);
    case "i8":
      return view.getInt8(o);
    case "bool":
      return view.getUint8(o) !== 0;
    case "u16":
      return view.getUint16(o, true);
    case "i16":
      return view.getInt16(o, true);
    case "u32":
      return view.getUint32(o, true);
    case "i32":
      return view.getInt32(o, true);
    case "u64":
      return view.getBigUint64(o, true);
    case "i64":
      return view.getBigInt64(o, true);
    case "u64n": {
      const hi = view.getUint32(o + 4, true);
      return hi > 0x1fffff ? bigUnsigned(view.getUint32(o, true), hi) : hi * 2 ** 32 + view.getUint32(o, true);
    }
    case "i64n": {
      const hi = view.getInt32(o + 4, true);
      const value = hi * 2 ** 32 + view.getUint32(o, true);
      return Number.isSafeInteger(value) ? value : bigSigned(view.getUint32(o, true), hi);
    }
    case "be16":
      return view.getUint16(o);
    case "be32":
      return view.getUint32(o);
    case "be64":
      return view.getBigUint64(o);
    case "bits":
      return readBits(layout, m, o);
    case "bytes":
      return m.u8.slice(o, o + layout.size);
    case "str":
      return readText(m, o, layout.size);
    case "array":
      return Array.from({ length: layout.length }, (_, i) =>
        readSlowly(layout.element, m, o + i * layout.element.size),
      );
    case "struct":
      return Object.fromEntries(layout.fields.map((f) => [f.name, readSlowly(f.layout, m, o + f.offset)]));
  }
}

function bigUnsigned(lo: number, hi: number): never {
  const value = (BigInt(hi) << 32n) | BigInt(lo);
  throw new CodecError(`${value} does not fit a number exactly: declare the field as u64 to read it as a bigint.`);
}

function bigSigned(lo: number, hi: number): never {
  const value = (BigInt(hi) << 32n) | BigInt(lo);
  throw new CodecError(`${value} does not fit a number exactly: declare the field as i64 to read it as a bigint.`);
}
