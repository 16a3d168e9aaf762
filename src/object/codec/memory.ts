/**
 * One stretch of memory seen through every view the codecs need, so that reading a field costs one typed-array load.
 * eBPF values have the machine's byte order; Skep runs on little-endian machines (x86-64, arm64) only.
 */
export interface Memory {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly i64: BigInt64Array;
  readonly view: DataView;
  readonly text: TextSlicer;
}

/** Decodes UTF-8 between two offsets; Node's Buffer does it several times faster than TextDecoder. */
export interface TextSlicer {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

/** Views over a whole buffer. Its length is rounded down to a multiple of 8; map memory always is one. */
export function memoryOf(buffer: ArrayBuffer): Memory {
  const words = Math.floor(buffer.byteLength / 8);
  const u8 = new Uint8Array(buffer);
  return {
    u8,
    u16: new Uint16Array(buffer, 0, words * 4),
    i32: new Int32Array(buffer, 0, words * 2),
    u32: new Uint32Array(buffer, 0, words * 2),
    u64: new BigUint64Array(buffer, 0, words),
    i64: new BigInt64Array(buffer, 0, words),
    view: new DataView(buffer),
    text: slicer(buffer, u8),
  };
}

/** The same memory as doubles: 64 bits that are moved with one load or store, and no bigint made of them. */
export function doublesOf(memory: Memory): Float64Array {
  return new Float64Array(memory.u64.buffer, memory.u64.byteOffset, memory.u64.length);
}

function slicer(buffer: ArrayBuffer, u8: Uint8Array): TextSlicer {
  if (typeof Buffer !== "undefined") return Buffer.from(buffer) as unknown as TextSlicer;
  const utf8 = new TextDecoder();
  const latin1 = new TextDecoder("latin1");
  return {
    utf8Slice: (start, end) => utf8.decode(u8.subarray(start, end)),
    latin1Slice: (start, end) => latin1.decode(u8.subarray(start, end)),
  };
}
