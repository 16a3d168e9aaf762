import { kernelOnly } from "./kernel-only.ts";
import { Descriptor } from "./origin.ts";
import { isType, type Type } from "./type.ts";

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

/** Records of several types, for JavaScript as bytes. Made by `ringbuf()` without a type. Linux 5.8. */
export class Records extends Descriptor {
  readonly kind = "records";
  readonly options: RingOptions;

  constructor(options: RingOptions) {
    super();
    this.options = options;
  }

  /** Writes a record of a type, all its fields, straight into the ring; false when the ring is full: that is counted. */
  emit<K>(_type: Type<K, unknown>, _record: K): boolean {
    return kernelOnly("records.emit()");
  }

  /** Room for a record of a type, of zeros; `undefined` when the ring is full: that is counted. */
  reserve<K>(_type: Type<K, unknown>): Slot<K> | undefined {
    return kernelOnly("records.reserve()");
  }

  /** Copies the first bytes of a value into a record that is as long as they are (all without a number); false when the ring is full: that is counted. */
  output(_record: object | string, _bytes?: number): boolean {
    return kernelOnly("records.output()");
  }
}

/**
 * A ring buffer of events: `ringbuf(struct({ pid: u32, comm: str(16) }), { bytes: 1 << 20 })`. Without a type its records are of
 * several, which each `emit` names.
 */
export function ringbuf(options?: RingOptions): Records;
export function ringbuf<K, D>(event: Type<K, D>, options?: RingOptions): Ring<K, D>;
export function ringbuf(
  event?: Type<unknown, unknown> | RingOptions,
  options: RingOptions = {},
): Records | Ring<unknown, unknown> {
  return isType(event) ? new Ring(event, options) : new Records(event ?? {});
}
