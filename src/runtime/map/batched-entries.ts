import { type Decoder, type Memory, memoryOf } from "../../object/codec/index.ts";
import { BATCH_UNSUPPORTED, type Batch } from "./batch.ts";

const EMPTY = memoryOf(new ArrayBuffer(0));

/**
 * The entries of batches, one after the other. Not a generator: going on with one costs as much as reading an entry does, and
 * the engine cannot look through it.
 */
export class BatchedEntries<K, V> implements IterableIterator<[K, V]> {
  readonly #batches: Iterator<Batch | typeof BATCH_UNSUPPORTED>;
  readonly #decodeKey: Decoder<K>;
  readonly #decodeValue: Decoder<V>;
  readonly #valueStride: number;
  readonly #otherwise: () => IterableIterator<[K, V]>;
  /** Instead of batches, where there are none. */
  #others: IterableIterator<[K, V]> | undefined;
  #memory: Memory = EMPTY;
  #left = 0;
  #last = false;
  #key = 0;
  #keyStride = 0;
  #value = 0;

  constructor(
    batches: Iterator<Batch | typeof BATCH_UNSUPPORTED>,
    decodeKey: Decoder<K>,
    decodeValue: Decoder<V>,
    valueStride: number,
    otherwise: () => IterableIterator<[K, V]>,
  ) {
    this.#batches = batches;
    this.#decodeKey = decodeKey;
    this.#decodeValue = decodeValue;
    this.#valueStride = valueStride;
    this.#otherwise = otherwise;
  }

  next(): IteratorResult<[K, V], undefined> {
    if (this.#left === 0 && !this.#refill()) return this.#others?.next() ?? { done: true, value: undefined };
    this.#left--;
    const memory = this.#memory;
    const key = this.#key;
    const value = this.#value;
    this.#key = key + this.#keyStride;
    this.#value = value + this.#valueStride;
    return { done: false, value: [this.#decodeKey(memory, key), this.#decodeValue(memory, value)] };
  }

  return(): IteratorResult<[K, V], undefined> {
    this.#left = 0;
    this.#end();
    this.#others?.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** False when there is no more in batches. */
  #refill(): boolean {
    while (!this.#last && this.#others === undefined) {
      const { value: batch, done } = this.#batches.next();
      if (done === true) break;
      if (batch === BATCH_UNSUPPORTED) {
        this.#others = this.#otherwise();
        return false;
      }
      this.#memory = batch.memory;
      this.#left = batch.count;
      this.#last = batch.last;
      this.#key = batch.keyOffset;
      this.#keyStride = batch.keyStride;
      this.#value = batch.valueOffset;
      if (batch.count > 0) return true;
    }
    this.#end();
    return false;
  }

  /** The memory of the batch is for others now. */
  #end(): void {
    this.#last = true;
    this.#memory = EMPTY;
    this.#batches.return?.();
  }
}
