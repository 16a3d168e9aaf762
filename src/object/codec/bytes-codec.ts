import { type Decoder, makeDecoder } from "./decoder.ts";
import { type Encoder, makeEncoder } from "./encoder.ts";
import type { Infer, Layout } from "./layout.ts";
import { type Memory, memoryOf } from "./memory.ts";

/** Single values of a layout to bytes of their own and back. Code is generated on the first use of each direction. */
export class BytesCodec<L extends Layout = Layout> {
  readonly layout: L;
  #encode: Encoder<Infer<L>> | undefined;
  #decode: Decoder<Infer<L>> | undefined;

  constructor(layout: L) {
    this.layout = layout;
  }

  /** Throws CodecError for a value that does not fit. */
  encode(value: Infer<L>): Uint8Array {
    const memory = this.#memory();
    this.#encode ??= makeEncoder(this.layout);
    this.#encode(memory, 0, value);
    return memory.u8.slice(0, this.layout.size);
  }

  /** What is missing of the bytes is zeros; what is behind the value does not count. */
  decode(bytes: Uint8Array): Infer<L> {
    const memory = this.#memory();
    memory.u8.set(bytes.subarray(0, this.layout.size));
    this.#decode ??= makeDecoder(this.layout);
    return this.#decode(memory, 0);
  }

  #memory(): Memory {
    return memoryOf(new ArrayBuffer(Math.ceil(this.layout.size / 8) * 8));
  }
}
