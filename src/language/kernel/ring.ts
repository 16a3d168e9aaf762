import { kernelOnly } from "./kernel-only.ts";
import { Descriptor } from "./origin.ts";
import type { Type } from "./type.ts";

/** How a ring buffer is made. */
export interface RingOptions {
  /** Bytes, a power of two and a multiple of the page size; 256 KiB when left out. */
  readonly bytes?: number;
}

/** A record that was reserved and is filled in place. What becomes of it must be said on every way out; else it is discarded. */
export type Slot<K> = K & {
  /** Hands the record over to whoever reads the ring. */
  submit(): void;
  /** Gives the record back unread. */
  discard(): void;
};

/** Events for JavaScript. Made by `ringbuf(type)`. Linux 5.8. */
export class Ring<K, D> extends Descriptor {
  readonly kind = "ringbuf";
  readonly value: Type<K, D>;
  readonly options: RingOptions;

  constructor(value: Type<K, D>, options: RingOptions) {
    super();
    this.value = value;
    this.options = options;
  }

  /** Writes an event, all its fields, straight into the ring; false when the ring is full: that is counted. */
  emit(_event: K): boolean {
    return kernelOnly("ring.emit()");
  }

  /** Room for an event, of zeros; `undefined` when the ring is full: that is counted. */
  reserve(): Slot<K> | undefined {
    return kernelOnly("ring.reserve()");
  }
}

/** A ring buffer of events: `ringbuf(struct({ pid: u32, comm: str(16) }), { bytes: 1 << 20 })`. */
export function ringbuf<K, D>(event: Type<K, D>, options: RingOptions = {}): Ring<K, D> {
  return new Ring(event, options);
}
