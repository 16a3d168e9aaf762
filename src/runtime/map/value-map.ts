import { bytes, type Decoder, type Encoder, type Layout, makeDecoder, makeEncoder } from "../../object/codec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BpfMap, type MapInfo } from "./bpf-map.ts";
import { checkLayout } from "./check-layout.ts";

/** A map with typed values that are asked for otherwise than by keys. */
export abstract class ValueMap<V> extends BpfMap {
  readonly #encode: Encoder<V>;
  readonly #decode: Decoder<V>;

  constructor(fd: Fd, info: MapInfo, value?: Layout) {
    const layout = checkLayout(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    super(fd, info);
    this.#encode = makeEncoder(layout) as Encoder<V>;
    this.#decode = makeDecoder(layout) as Decoder<V>;
  }

  /** The value in the slot. */
  protected decodeValue(): V {
    return this.#decode(this.slot.memory, this.valueOffset);
  }

  /** Puts a value into the slot. Throws CodecError. */
  protected encodeValue(value: V): void {
    this.#encode(this.slot.memory, this.valueOffset, value);
  }
}
