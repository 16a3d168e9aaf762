import { writeBits } from "./bits.ts";
import { CodecError } from "./codec-error.ts";
import type { Infer, Layout, StructLayout } from "./layout.ts";
import { doublesOf, type Memory } from "./memory.ts";
import { writeOverlapping } from "./overlap.ts";

/** Writes one value at a byte offset of a memory, padding between fields as zeros: hash maps compare keys whole. */
export type Encoder<T> = (memory: Memory, offset: number, value: T) => void;

const utf8 = new TextEncoder();

/** Makes the encoder of a layout; offsets must be multiples of `layout.align`. Values out of range throw a CodecError. */
export function makeEncoder<L extends Layout>(layout: L): Encoder<Infer<L>> {
  const encode = generate(layout, undefined);
  return (
    (encode as Encoder<Infer<L>> | undefined) ??
    ((memory, offset, value) => writeSlowly(layout, memory, offset, value, "value"))
  );
}

/**
 * The same for one memory alone, whose views are constants to the engine. `live` is for memory that somebody reads
 * meanwhile: each 64-bit number is written at once.
 */
export function makeBoundEncoder<L extends Layout>(
  layout: L,
  memory: Memory,
  { live = false }: { readonly live?: boolean } = {},
): (offset: number, value: Infer<L>) => void {
  const encode = generate(layout, memory, live);
  return (
    (encode as ((offset: number, value: Infer<L>) => void) | undefined) ??
    ((offset, value) => writeSlowly(layout, memory, offset, value, "value"))
  );
}

/** Undefined where code generation is forbidden. */
function generate(layout: Layout, memory: Memory | undefined, live = false): unknown {
  const place = { layouts: [] as Layout[], align: layout.align, live };
  const statements = writeStatements(layout, place, 0, "v", "value", 0);
  const views = "const {u8,u16,i32,u32,u64,i64,view}=m;";
  const parts: Record<string, unknown> = { L: place.layouts, bad, slow: writeSlowly };
  if (memory !== undefined) parts["m"] = memory;
  if (live && memory !== undefined) {
    const bits = new Float64Array(1);
    Object.assign(parts, { f64: doublesOf(memory), bits, half: new Uint32Array(bits.buffer) });
  }
  const body =
    memory === undefined
      ? `return function encode(m,o,v){${views}${statements}}`
      : `${views}return function encode(o,v){${statements}}`;
  try {
    return new Function(...Object.keys(parts), body)(...Object.values(parts));
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return undefined;
  }
}

const INT_RANGE: Readonly<
  Record<"u8" | "i8" | "u16" | "i16" | "u32" | "i32" | "be16" | "be32", readonly [number, number]>
> = {
  u8: [0, 0xff],
  i8: [-0x80, 0x7f],
  u16: [0, 0xffff],
  i16: [-0x8000, 0x7fff],
  u32: [0, 0xffffffff],
  i32: [-0x80000000, 0x7fffffff],
  be16: [0, 0xffff],
  be32: [0, 0xffffffff],
};

interface Place {
  /** Layouts that the generated code hands to `writeSlowly`, by index. */
  readonly layouts: Layout[];
  /** What every offset the encoder is called with is a multiple of. */
  readonly align: number;
  /** Whether a 64-bit number must be written with one store. */
  readonly live: boolean;
}

function writeStatements(layout: Layout, place: Place, offset: number, v: string, path: string, depth: number): string {
  const aligned = (to: number) => place.align >= to && offset % to === 0;
  const at = offset === 0 ? "o" : `o+${offset}`;
  const name = JSON.stringify(path);
  const unless = (test: string) => `if(!(${test}))bad("${layout.kind}",${v},${name});`;
  const isNumber = `typeof ${v}==="number"`;
  switch (layout.kind) {
    case "u8":
      return `${unless(`${isNumber}&&(${v}&255)===${v}`)}u8[${at}]=${v};`;
    case "u16":
      if (!aligned(2)) break;
      return `${unless(`${isNumber}&&(${v}&65535)===${v}`)}u16[(${at})>>>1]=${v};`;
    case "u32":
      if (!aligned(4)) break;
      return `${unless(`${isNumber}&&(${v}>>>0)===${v}`)}u32[(${at})>>>2]=${v};`;
    case "i32":
      if (!aligned(4)) break;
      return `${unless(`${isNumber}&&(${v}|0)===${v}`)}i32[(${at})>>>2]=${v};`;
    case "be16":
      return `${unless(`${isNumber}&&(${v}&65535)===${v}`)}view.setUint16(${at},${v});`;
    case "be32":
      return `${unless(`${isNumber}&&(${v}>>>0)===${v}`)}view.setUint32(${at},${v});`;
    case "be64":
      return `${unless(`typeof ${v}==="bigint"&&${v}>=0n&&${v}<=18446744073709551615n`)}view.setBigUint64(${at},${v});`;
    case "u64":
      if (!aligned(8)) break;
      return `${unless(`typeof ${v}==="bigint"&&${v}>=0n&&${v}<=18446744073709551615n`)}u64[(${at})>>>3]=${v};`;
    case "i64":
      if (!aligned(8)) break;
      return `${unless(`typeof ${v}==="bigint"&&${v}>=-9223372036854775808n&&${v}<=9223372036854775807n`)}i64[(${at})>>>3]=${v};`;
    case "u64n":
      if (!aligned(4)) break;
      // A store to a word takes a number modulo 2^32, without its fraction. Below 2^53 the bits are no NaN's. Of a small
      // integer the engine makes no bigint at all: it stores the register, six times as fast as through the double.
      return `${unless(`${isNumber}&&${v}>=0&&${v}<=9007199254740991&&Math.floor(${v})===${v}`)}${
        place.live && aligned(8)
          ? `if((${v}|0)===${v})u64[(${at})>>>3]=BigInt(${v}|0);else{half[0]=${v};half[1]=${v}/4294967296;f64[(${at})>>>3]=bits[0]}`
          : `u32[(${at})>>>2]=${v};u32[(o+${offset + 4})>>>2]=${v}/4294967296;`
      }`;
    case "i64n":
      if (!aligned(4)) break;
      return `${unless(`${isNumber}&&${v}>=-9007199254740991&&${v}<=9007199254740991&&Math.floor(${v})===${v}`)}${
        place.live && aligned(8)
          ? `i64[(${at})>>>3]=(${v}|0)===${v}?BigInt(${v}|0):BigInt(${v});`
          : `u32[(${at})>>>2]=${v};i32[(o+${offset + 4})>>>2]=Math.floor(${v}/4294967296);`
      }`;
    case "struct": {
      if (layout.overlapping) break;
      const fields = layout.fields.map((f, i) => {
        const inner = `v${depth}_${i}`;
        const statements = writeStatements(f.layout, place, offset + f.offset, inner, `${path}.${f.name}`, depth + 1);
        return `{const ${inner}=${v}[${JSON.stringify(f.name)}];${statements}}`;
      });
      const holes = paddingOf(layout).map(([from, to]) => `u8.fill(0,o+${offset + from},o+${offset + to});`);
      return `${unless(`typeof ${v}==="object"&&${v}!==null`)}${fields.join("")}${holes.join("")}`;
    }
    default:
  }
  return `slow(L[${place.layouts.push(layout) - 1}],m,${at},${v},${name});`;
}

/** The bytes of a struct that belong to no field, as ranges [from, to). */
function paddingOf(layout: StructLayout): [number, number][] {
  const holes: [number, number][] = [];
  let end = 0;
  for (const f of [...layout.fields].sort((a, b) => a.offset - b.offset)) {
    if (f.offset > end) holes.push([end, f.offset]);
    end = Math.max(end, f.offset + f.layout.size);
  }
  if (layout.size > end) holes.push([end, layout.size]);
  return holes;
}

function writeSlowly(layout: Layout, m: Memory, o: number, value: unknown, path: string): void {
  const { view } = m;
  switch (layout.kind) {
    case "u8":
    case "i8":
    case "u16":
    case "i16":
    case "u32":
    case "i32":
    case "be16":
    case "be32": {
      const [min, max] = INT_RANGE[layout.kind];
      if (typeof value !== "number" || !Number.isInteger(value) || value < min || value > max)
        bad(layout.kind, value, path);
      if (layout.size === 1) view.setUint8(o, value);
      else if (layout.size === 2) view.setUint16(o, value, layout.kind !== "be16");
      else view.setUint32(o, value, layout.kind !== "be32");
      return;
    }
    case "bool":
      if (typeof value !== "boolean") bad("bool", value, path);
      view.setUint8(o, value ? 1 : 0);
      return;
    case "u64":
    case "be64":
      if (typeof value !== "bigint" || BigInt.asUintN(64, value) !== value) bad(layout.kind, value, path);
      view.setBigUint64(o, value, layout.kind !== "be64");
      return;
    case "i64":
      if (typeof value !== "bigint" || BigInt.asIntN(64, value) !== value) bad("i64", value, path);
      view.setBigInt64(o, value, true);
      return;
    case "u64n":
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) bad("u64n", value, path);
      view.setBigUint64(o, BigInt(value), true);
      return;
    case "i64n":
      if (typeof value !== "number" || !Number.isSafeInteger(value)) bad("i64n", value, path);
      view.setBigInt64(o, BigInt(value), true);
      return;
    case "bits":
      writeBits(layout, m, o, value, path);
      return;
    case "bytes":
      if (!(value instanceof Uint8Array) || value.length !== layout.size) bad(`bytes(${layout.size})`, value, path);
      m.u8.set(value, o);
      return;
    case "str": {
      if (typeof value !== "string") bad(`str(${layout.size})`, value, path);
      // A NUL inside would silently end the text when it is read back.
      if (value.includes("\0")) bad(`str(${layout.size}): it has a NUL inside`, value, path);
      const target = m.u8.subarray(o, o + layout.size);
      const { read, written } = utf8.encodeInto(value, target);
      if (read < value.length || written === layout.size) bad(`str(${layout.size}) with its closing NUL`, value, path);
      target.fill(0, written);
      return;
    }
    case "array": {
      const items = value as readonly unknown[];
      if (!Array.isArray(value) || items.length !== layout.length) bad(`array of ${layout.length}`, value, path);
      for (let i = 0; i < layout.length; i++)
        writeSlowly(layout.element, m, o + i * layout.element.size, items[i], `${path}[${i}]`);
      return;
    }
    case "struct": {
      if (typeof value !== "object" || value === null) bad("struct", value, path);
      const record = value as Record<string, unknown>;
      if (layout.overlapping) {
        writeOverlapping(layout, m, o, record, path, writeSlowly);
        return;
      }
      for (const f of layout.fields) writeSlowly(f.layout, m, o + f.offset, record[f.name], `${path}.${f.name}`);
      for (const [from, to] of paddingOf(layout)) m.u8.fill(0, o + from, o + to);
    }
  }
}

function bad(kind: string, value: unknown, path: string): never {
  const shown =
    typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value) : String(value);
  throw new CodecError(`${path} is ${shown} (${typeof value}), which does not fit ${kind}.`);
}
