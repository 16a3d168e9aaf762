/** Bytes to values and back: layouts, and the decoders and encoders generated from them. */
export { BytesCodec } from "./bytes-codec.ts";
export { CodecError } from "./codec-error.ts";
export { type Decoder, type DecoderOptions, makeBoundDecoder, makeDecoder } from "./decoder.ts";
export { layoutDifference } from "./difference.ts";
export { type Encoder, makeBoundEncoder, makeEncoder } from "./encoder.ts";
export { layoutOf } from "./from-btf.ts";
export {
  type ArrayLayout,
  array,
  type BitsLayout,
  type BytesLayout,
  be16,
  be32,
  be64,
  bool,
  bytes,
  type FieldLayout,
  hasText,
  type Infer,
  i8,
  i16,
  i32,
  i64,
  i64n,
  intLayout,
  type Layout,
  type ScalarLayout,
  type StringLayout,
  type StructLayout,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64n,
  union,
} from "./layout.ts";
export { type Memory, memoryOf } from "./memory.ts";
export { DtsPrinter, key as dtsKey } from "./print-dts.ts";
export { makeTextReader, readText, type TextReader } from "./text.ts";
export { decodeValue, encodeValue } from "./values.ts";
