import { readBits } from "./bits.ts";
import { CodecError } from "./codec-error.ts";
import type { Layout } from "./layout.ts";
import type { Memory } from "./memory.ts";
import { readText } from "./text.ts";

/** The values that generated decoders read, without generated code; 64-bit numbers in two halves. */
export function readSlowly(layout: Layout, m: Memory, o: number): unknown {
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

/** Refuses a number of two halves that are unsigned. */
export function bigUnsigned(lo: number, hi: number): never {
  const value = (BigInt(hi) << 32n) | BigInt(lo);
  throw new CodecError(`${value} does not fit a number exactly: declare the field as u64 to read it as a bigint.`);
}

/** The same for a number with a sign. */
export function bigSigned(lo: number, hi: number): never {
  const value = (BigInt(hi) << 32n) | BigInt(lo);
  throw new CodecError(`${value} does not fit a number exactly: declare the field as i64 to read it as a bigint.`);
}
