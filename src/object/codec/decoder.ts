import { readBits } from "./bits.ts";
import { DecoderCode } from "./decoder-code.ts";
import type { BitsLayout, Infer, Layout } from "./layout.ts";
import { doublesOf, type Memory } from "./memory.ts";
import { bigSigned, bigUnsigned, readSlowly } from "./read-slowly.ts";
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
  /**
   * Somebody may write to the memory while it is read: each 64-bit number is read at once, where it is 8-aligned and code may be
   * generated, and texts are not kept.
   */
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
    const code = new DecoderCode({ align, string, wideBits, live });
    const read = code.body(layout);
    // Only the views that are used: the engine takes a function into a loop by how short it is, too.
    const views = code.views.size > 0 ? `const {${[...code.views].join(",")}}=m;` : "";
    const body = bound ? `${views}return function decode(o){${read}}` : `return function decode(m,o){${views}${read}}`;
    if (bound) parts["m"] = memory;
    if (live && bound) Object.assign(parts, { once: readOnce(), f64: doublesOf(memory), sonce: readSignedOnce });
    return new Function(...Object.keys(parts), body)(...Object.values(parts));
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return undefined;
  }
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
