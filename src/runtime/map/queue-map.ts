import { bytes, type Decoder, type Encoder, type Layout, makeDecoder, makeEncoder } from "../../object/codec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BpfMap, type MapInfo } from "./bpf-map.ts";
import { checkLayout } from "./check-layout.ts";

/** A queue (first in, first out) or a stack (last in, first out) of values (Linux 4.20). */
export class QueueMap<V> extends BpfMap {
  readonly #encode: Encoder<V>;
  readonly #decode: Decoder<V>;

  constructor(fd: Fd, info: MapInfo, value?: Layout) {
    const layout = checkLayout(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    super(fd, info);
    this.#encode = makeEncoder(layout) as Encoder<V>;
    this.#decode = makeDecoder(layout) as Decoder<V>;
  }

  /** Adds a value. Throws SystemError E2BIG when it is full, unless `replaceOldest` lets the oldest go. */
  push(value: V, options: { readonly replaceOldest?: boolean } = {}): void {
    this.#encode(this.slot.memory, this.valueOffset, value);
    this.update(options.replaceOldest === true ? "exist" : "any");
  }

  /** Takes the next value; undefined when there is none. */
  pop(): V | undefined {
    return this.lookupAndDelete() ? this.#decode(this.slot.memory, this.valueOffset) : undefined;
  }

  /** The next value, which stays; undefined when there is none. */
  peek(): V | undefined {
    return this.lookup() ? this.#decode(this.slot.memory, this.valueOffset) : undefined;
  }
}

/** A bloom filter (Linux 5.16): knows of a value for certain that it was never added, or that it probably was. */
export class BloomFilter<V> extends BpfMap {
  readonly #encode: Encoder<V>;

  constructor(fd: Fd, info: MapInfo, value?: Layout) {
    const layout = checkLayout(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    super(fd, info);
    this.#encode = makeEncoder(layout) as Encoder<V>;
  }

  /** Adds a value; none can be removed. */
  add(value: V): void {
    this.#encode(this.slot.memory, this.valueOffset, value);
    this.update("any");
  }

  /** False when the value was never added. */
  has(value: V): boolean {
    this.#encode(this.slot.memory, this.valueOffset, value);
    return this.lookup();
  }
}
