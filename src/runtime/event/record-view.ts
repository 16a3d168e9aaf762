import type { Memory } from "../../object/codec/index.ts";
import { CodecError, makeTextReader, type TextReader } from "../../object/codec/index.ts";

/**
 * A lease on one record inside the kernel's buffer: valid only until the function it was handed to returns. Offsets count from the
 * record's first byte, values have the machine's byte order. There is deliberately no way to get at the memory itself:
 * the kernel maps ring pages read-only, and one write would kill the process.
 */
export class RecordView {
  readonly #memory: Memory;
  readonly #i32: Int32Array;
  readonly #u32: Uint32Array;
  #text: TextReader | undefined;
  #offset = 0;
  #length = 0;

  constructor(memory: Memory) {
    this.#memory = memory;
    this.#i32 = memory.i32;
    this.#u32 = memory.u32;
  }

  /** Bytes in the record. */
  get length(): number {
    return this.#length;
  }

  /** The byte at `offset` of the record. */
  u8(offset: number): number {
    return this.#memory.u8[this.#at(offset, 1)] as number;
  }

  /** `offset` must be even. */
  u16(offset: number): number {
    return this.#memory.u16[this.#at(offset, 2) >>> 1] as number;
  }

  /** `offset` must be a multiple of 4. */
  u32(offset: number): number {
    return this.#u32[this.#at(offset, 4) >>> 2] as number;
  }

  /** `offset` must be a multiple of 4. */
  i32(offset: number): number {
    return this.#i32[this.#at(offset, 4) >>> 2] as number;
  }

  /** `offset` must be a multiple of 8. */
  u64(offset: number): bigint {
    const at = this.#at(offset, 8);
    // Samples of perf buffers begin 4 bytes behind a multiple of 8.
    return (at & 7) === 0 ? (this.#memory.u64[at >>> 3] as bigint) : this.#memory.view.getBigUint64(at, true);
  }

  /** `offset` must be a multiple of 8. */
  i64(offset: number): bigint {
    const at = this.#at(offset, 8);
    return (at & 7) === 0 ? (this.#memory.i64[at >>> 3] as bigint) : this.#memory.view.getBigInt64(at, true);
  }

  /** A u64 as a number, exact up to 2^53 − 1, a CodecError above. `offset` must be a multiple of 4. */
  u64n(offset: number): number {
    const at = this.#at(offset, 8) >>> 2;
    const hi = this.#u32[at + 1] as number;
    if (hi > 0x1fffff)
      throw new CodecError(`The u64 at byte ${offset} is above 2^53 − 1: read it with u64() as a bigint.`);
    return hi * 0x100000000 + (this.#u32[at] as number);
  }

  /** An i64 as a number, exact within ±(2^53 − 1), a CodecError outside. `offset` must be a multiple of 4. */
  i64n(offset: number): number {
    const at = this.#at(offset, 8) >>> 2;
    const value = (this.#i32[at + 1] as number) * 0x100000000 + (this.#u32[at] as number);
    if (!Number.isSafeInteger(value)) {
      throw new CodecError(`The i64 at byte ${offset} is outside ±(2^53 − 1): read it with i64() as a bigint.`);
    }
    return value;
  }

  /** Copies `count` 32-bit words into the beginning of `target`. `offset` must be a multiple of 4. */
  words(offset: number, target: Uint32Array, count: number): void {
    const at = this.#at(offset, 4 * count) >>> 2;
    const from = this.#u32;
    for (let i = 0; i < count; i++) target[i] = from[at + i] as number;
  }

  /** Copies `size` bytes into `target`, from its byte `at` on. */
  bytes(offset: number, size: number, target: Uint8Array, at: number): void {
    const from = this.#at(offset, size);
    const { u8 } = this.#memory;
    for (let i = 0; i < size; i++) target[at + i] = u8[from + i] as number;
  }

  /** UTF-8 text up to the first NUL, at most `size` bytes. */
  text(offset: number, size: number): string {
    this.#text ??= makeTextReader(this.#memory);
    return this.#text(this.#at(offset, size), size);
  }

  /** A copy of `size` bytes (the whole record by default) that stays valid. */
  copy(offset = 0, size: number = this.#length - offset): Uint8Array {
    const start = this.#at(offset, size);
    return this.#memory.u8.slice(start, start + size);
  }

  /** Moves the lease on; the reader's business. */
  _move(offset: number, length: number): void {
    this.#offset = offset;
    this.#length = length;
  }

  #at(offset: number, size: number): number {
    if (offset < 0 || offset + size > this.#length) this.#outside(offset, size);
    return this.#offset + offset;
  }

  #outside(offset: number, size: number): never {
    throw new RangeError(`Bytes ${offset}…${offset + size} are outside the record of ${this.#length} bytes.`);
  }
}
