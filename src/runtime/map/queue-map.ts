import { ValueMap } from "./value-map.ts";

/** A queue (first in, first out) or a stack (last in, first out) of values (Linux 4.20). */
export class QueueMap<V> extends ValueMap<V> {
  /** Adds a value. Throws SystemError E2BIG when it is full, unless `replaceOldest` lets the oldest go. */
  push(value: V, options: { readonly replaceOldest?: boolean } = {}): void {
    this.encodeValue(value);
    this.update(options.replaceOldest === true ? "exist" : "any");
  }

  /** Takes the next value; undefined when there is none. */
  pop(): V | undefined {
    return this.lookupAndDelete() ? this.decodeValue() : undefined;
  }

  /** The next value, which stays; undefined when there is none. */
  peek(): V | undefined {
    return this.lookup() ? this.decodeValue() : undefined;
  }
}

/** A bloom filter (Linux 5.16): knows of a value for certain that it was never added, or that it probably was. */
export class BloomFilter<V> extends ValueMap<V> {
  /** Adds a value; none can be removed. */
  add(value: V): void {
    this.encodeValue(value);
    this.update("any");
  }

  /** False when the value was never added. */
  has(value: V): boolean {
    this.encodeValue(value);
    return this.lookup();
  }
}
